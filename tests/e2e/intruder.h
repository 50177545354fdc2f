// What somebody with root's rights does to a process from outside, as a debugger would.
#pragma once

#include <sys/types.h>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

// A descriptor of PROCESS whose /proc/PID/fdinfo has a line with this BEGINNING; the lowest.
absl::StatusOr<int> FindDescriptor(pid_t process, absl::string_view beginning);

// Makes the main thread of PROCESS, which is no child of ours and waits in a system call, close FD.
absl::Status CloseIn(pid_t process, int fd);

}  // namespace kvmsentry
