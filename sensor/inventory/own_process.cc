#include "sensor/inventory/own_process.h"

#include <ctime>
#include <filesystem>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

#include "sensor/inventory/files.h"
#include "sensor/inventory/process.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxFile = 4096;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The second field of /proc/PID/statm, in pages (proc_pid_statm(5)).
std::optional<uint64_t> ResidentBytes(const std::string& proc) {
  const auto content = ReadFileAt(AT_FDCWD, absl::StrCat(proc, "/self/statm"), kMaxFile);
  if (!content.ok()) return std::nullopt;
  const std::vector<absl::string_view> fields = absl::StrSplit(*content, ' ');
  uint64_t pages = 0;
  if (fields.size() < 2 || !absl::SimpleAtoi(fields[1], &pages)) return std::nullopt;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// But for the descriptor that reads the folder.
std::optional<uint64_t> OpenDescriptors(const std::string& proc) {
  std::error_code error;
  uint64_t count = 0;
  std::filesystem::directory_iterator entry(absl::StrCat(proc, "/self/fd"), error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  if (error || count == 0) return std::nullopt;
  return count - 1;
}

}  // namespace

OwnUsage ReadOwnUsage(const std::string& proc) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return {.cpu_seconds = Seconds(used.ru_utime) + Seconds(used.ru_stime),
          .resident_bytes = ResidentBytes(proc),
          .open_fds = OpenDescriptors(proc)};
}

std::optional<absl::Time> ReadOwnStart(const std::string& proc) {
  const auto content = ReadFileAt(AT_FDCWD, absl::StrCat(proc, "/self/stat"), kMaxFile);
  const auto stat = content.ok() ? ParseStat(*content) : content.status();
  if (!stat.ok()) return std::nullopt;
  // Starts are counted in CLOCK_BOOTTIME.
  timespec boot{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  const absl::Duration after_boot = absl::Seconds(static_cast<double>(stat->start_ticks) /
                                                  static_cast<double>(sysconf(_SC_CLK_TCK)));
  return absl::Now() - absl::DurationFromTimespec(boot) + after_boot;
}

}  // namespace kvmsentry
