// kvmsentryd as a child process of the test.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "tests/e2e/place.h"
#include "tests/support/process.h"

namespace kvmsentry {

// The command line of a daemon at PLACE. Heartbeats come every second, and its tables are small,
// so that it starts fast.
std::vector<std::string> DaemonCommand(const Place& place,
                                       const std::vector<std::string>& options = {});

// Options that leave it the hooks that count what guests of tests/guest do: it starts in a fraction
// of the time.
std::vector<std::string> FewHooks();

// Killed on destruction. Move-only.
class Daemon {
 public:
  // Serves on its socket when it returns. The error holds the log of one that does not.
  static absl::StatusOr<Daemon> Start(const Place& place,
                                      const std::vector<std::string>& options = {});

  // Ends it with SIGTERM and returns its exit status.
  absl::StatusOr<int> Stop();

  Process& process() { return process_; }
  std::string Log() const { return process_.Errors(); }

 private:
  explicit Daemon(Process process) : process_(std::move(process)) {}
  Process process_;
};

}  // namespace kvmsentry
