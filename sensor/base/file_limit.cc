#include "sensor/base/file_limit.h"

#include <cerrno>

#include <sys/resource.h>

namespace kvmsentry {

absl::Status RaiseFileLimit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return absl::ErrnoToStatus(errno, "RLIMIT_NOFILE");
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) return absl::ErrnoToStatus(errno, "RLIMIT_NOFILE");
  return absl::OkStatus();
}

}  // namespace kvmsentry
