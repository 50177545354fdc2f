// The command line, validated: whatever ParseOptions accepts can be run.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

#include "tests/guest/workload.h"

namespace kvmsentry::guest {

enum class Then { kCalm, kExit };

struct Options {
  Workload workload;
  uint64_t count = 0;  // of each vCPU; 0: no limit
  Then then = Then::kCalm;
  uint64_t rate = 0;  // of each vCPU, operations a second; 0: as fast as possible
  uint32_t seconds = 60;
  uint32_t vcpus = 1;
  uint32_t vms = 1;
  uint32_t calm_vms = 0;
  uint32_t hang = 0;  // the last so many vCPUs of each VM, once each has come back
  uint32_t spin = 0;  // the same, and they use their CPU
  uint64_t memory_kib = 1024;
  bool one_thread = false;
  bool wait = false;
  bool report = false;
  bool detach = false;
  bool help = false;  // print HelpText() and end; nothing else is valid
};

// InvalidArgument with a message for the user.
absl::StatusOr<Options> ParseOptions(int argc, const char* const* argv);

std::string HelpText();

}  // namespace kvmsentry::guest
