// Programs that are run to their end.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"

namespace kvmsentry {

struct Finished {
  int exit_code = 0;
  std::vector<std::string> lines;  // of standard output
  std::string errors;              // standard error
};

// DEADLINE_EXCEEDED where it does not end in time; its exit code may be any.
absl::StatusOr<Finished> RunToEnd(const std::vector<std::string>& command);

// INTERNAL, with its command line and what it wrote to standard error, where it does not end with
// 0.
absl::Status RunWell(const std::vector<std::string>& command);

}  // namespace kvmsentry
