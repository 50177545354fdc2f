// What this process itself uses, as the clients of Prometheus report it of a process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace kvmsentry {

struct OwnUsage {
  double cpu_seconds = 0;  // of all its threads, in user space and in the kernel
  std::optional<uint64_t> resident_bytes;
  std::optional<uint64_t> open_fds;
};

// Of all of it that can be read. PROC is where procfs is mounted. Any thread may call it.
OwnUsage ReadOwnUsage(const std::string& proc = "/proc");

// When this process started, to 10 ms. Read it once: the answer moves whenever the wall clock is
// adjusted, and a start that moves looks like a restart.
std::optional<absl::Time> ReadOwnStart(const std::string& proc = "/proc");

}  // namespace kvmsentry
