// The real daemon, with the shipped specs, as a child process.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "tests/support/process.h"

namespace kvmsentry {

// It serves on SOCKET when this returns, and pins its maps in kPinRoot.
absl::StatusOr<Process> StartDaemon(const std::string& socket,
                                    const std::vector<std::string>& options);

}  // namespace kvmsentry
