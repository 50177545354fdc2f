#include "bench/support/process_use.h"

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <fstream>

#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace kvmsentry {

absl::StatusOr<double> CpuSeconds(pid_t pid) {
  clockid_t clock{};
  if (const int error = clock_getcpuclockid(pid, &clock); error != 0) {
    return absl::ErrnoToStatus(error, absl::StrCat("the CPU time of process ", pid));
  }
  timespec time{};
  if (clock_gettime(clock, &time) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("the CPU time of process ", pid));
  }
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

absl::StatusOr<double> ResidentMib(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/statm");
  std::ifstream file(path);
  int64_t pages = 0;
  int64_t resident = 0;
  if (!(file >> pages >> resident)) return absl::InternalError(path + ": no number of pages");
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace kvmsentry
