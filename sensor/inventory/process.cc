#include "sensor/inventory/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "sensor/inventory/files.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxStat = 4096;
constexpr size_t kMaxStatus = 16 << 10;
constexpr size_t kMaxCgroup = 64 << 10;

absl::StatusOr<ProcessStat> ReadStat(int process) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string stat, ReadFileAt(process, "stat", kMaxStat));
  return ParseStat(stat);
}

absl::StatusOr<ProcessStat> ReadStat(const std::string& root, int32_t pid) {
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd directory, OpenDirectory(absl::StrCat(root, "/", pid)));
  return ReadStat(directory.get());
}

// The directories of the threads of process PID, whose own is DIRECTORY, other than the first.
std::vector<std::string> OtherThreads(int directory, int32_t pid) {
  const std::string tasks = absl::StrCat("/proc/self/fd/", directory, "/task");
  std::vector<std::string> threads;
  std::error_code error;
  for (std::filesystem::directory_iterator it(tasks, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().filename() != absl::StrCat(pid)) threads.push_back(it->path());
  }
  return threads;
}

absl::StatusOr<int32_t> ReadTgid(int process) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string status, ReadFileAt(process, "status", kMaxStatus));
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    int32_t tgid = 0;
    if (absl::ConsumePrefix(&line, "Tgid:\t") && absl::SimpleAtoi(line, &tgid)) return tgid;
  }
  return absl::DataLossError("no Tgid in /proc/PID/status");
}

std::vector<std::string> SplitArgs(absl::string_view cmdline) {
  absl::ConsumeSuffix(&cmdline, absl::string_view("\0", 1));
  if (cmdline.empty()) return {};
  return absl::StrSplit(cmdline, '\0');
}

std::string ReadExe(int process) {
  std::array<char, PATH_MAX> target;
  const ssize_t length = readlinkat(process, "exe", target.data(), target.size());
  return length < 0 ? "" : std::string(target.data(), static_cast<size_t>(length));
}

// Smaller is better.
int Rank(absl::string_view controllers) {
  if (controllers == "name=systemd") return 0;
  int rank = 3;
  for (const absl::string_view controller : absl::StrSplit(controllers, ',')) {
    if (controller == "memory") rank = std::min(rank, 1);
    if (controller == "cpu") rank = std::min(rank, 2);
  }
  return rank;
}

}  // namespace

bool IsStill(ProcessReader& processes, int32_t pid, uint64_t start_ticks) {
  const absl::StatusOr<uint64_t> start = processes.ReadStart(pid);
  return start.ok() && *start == start_ticks;
}

absl::StatusOr<ProcessStat> ParseStat(absl::string_view stat) {
  // The name may hold blanks and parentheses; what follows it holds none.
  const size_t open = stat.find('(');
  const size_t close = stat.rfind(") ");
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open) {
    return absl::DataLossError("malformed /proc/PID/stat: no process name");
  }
  const std::vector<absl::string_view> fields = absl::StrSplit(stat.substr(close + 2), ' ');
  constexpr size_t kStartTime = 22 - 3;  // fields count from 1, and state is the third
  ProcessStat out;
  out.comm = std::string(stat.substr(open + 1, close - open - 1));
  out.state = fields[0].empty() ? '\0' : fields[0][0];
  constexpr size_t kParent = 4 - 3;
  if (fields.size() > kParent) (void)absl::SimpleAtoi(fields[kParent], &out.parent);
  if (fields.size() <= kStartTime || !absl::SimpleAtoi(fields[kStartTime], &out.start_ticks)) {
    return absl::DataLossError("malformed /proc/PID/stat: no start time");
  }
  constexpr uint32_t kExiting = 0x4;  // PF_EXITING of include/linux/sched.h
  uint32_t flags = 0;
  (void)absl::SimpleAtoi(fields[9 - 3], &flags);
  out.ending = out.state == 'Z' || out.state == 'X' || (flags & kExiting) != 0;
  return out;
}

std::string ParseCgroup(absl::string_view cgroup) {
  struct Best {
    absl::string_view path = "/";
    std::ptrdiff_t depth = 0;
    int rank = INT_MAX;
  } best;
  // Names hold no line breaks: cgroup_mkdir() refuses them so that this file can be parsed.
  for (const absl::string_view line : absl::StrSplit(cgroup, '\n')) {
    // HIERARCHY:CONTROLLERS:PATH, and only the path may hold more colons.
    const size_t first = line.find(':');
    const size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const absl::string_view controllers = line.substr(first + 1, second - first - 1);
    const absl::string_view path = line.substr(second + 1);
    if (!absl::StartsWith(path, "/") || path == "/") continue;
    if (controllers.empty()) return std::string(path);
    const std::ptrdiff_t depth = std::ranges::count(path, '/');
    const int rank = Rank(controllers);
    if (depth > best.depth || (depth == best.depth && rank < best.rank)) {
      best = {path, depth, rank};
    }
  }
  return std::string(best.path);
}

ProcFs::ProcFs(std::string root, int64_t suspended_ns)
    : root_(std::move(root)),
      suspended_ns_(suspended_ns),
      ticks_per_second_(sysconf(_SC_CLK_TCK)) {}

int64_t ProcFs::SuspendedNs() {
  timespec monotonic{}, boottime{};
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  clock_gettime(CLOCK_BOOTTIME, &boottime);
  const int64_t ns =
      (boottime.tv_sec - monotonic.tv_sec) * kNsPerSecond + (boottime.tv_nsec - monotonic.tv_nsec);
  return ns < kNsPerMs ? 0 : ns;  // less is the time between the two calls
}

absl::StatusOr<Fd> OpenLiving(const std::string& root, int32_t pid) {
  KVMSENTRY_ASSIGN_OR_RETURN(Fd process, OpenDirectory(absl::StrCat(root, "/", pid)));
  const absl::StatusOr<ProcessStat> stat = ReadStat(process.get());
  const bool ended = stat.ok() && stat->state == 'Z';
  const auto others = ended ? OtherThreads(process.get(), pid) : std::vector<std::string>();
  if (others.empty()) return process;
  return OpenDirectory(others.front());
}

absl::StatusOr<ProcessFacts> ProcFs::Read(int32_t pid) {
  // Through one descriptor, which never comes to mean another process of the same number.
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd directory, OpenDirectory(absl::StrCat(root_, "/", pid)));
  KVMSENTRY_ASSIGN_OR_RETURN(const ProcessStat stat, ReadStat(directory.get()));
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd living, OpenLiving(root_, pid));
  ProcessFacts process;
  KVMSENTRY_ASSIGN_OR_RETURN(process.pid, ReadTgid(directory.get()));
  process.comm = stat.comm;
  process.start_ticks = stat.start_ticks;
  process.start = {static_cast<int64_t>(stat.start_ticks) * (kNsPerSecond / ticks_per_second_) -
                   suspended_ns_};
  process.exe = ReadExe(living.get());
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string cmdline,
                             ReadFileAt(living.get(), "cmdline", kMaxCommandLine));
  process.args = SplitArgs(cmdline);
  KVMSENTRY_ASSIGN_OR_RETURN(const std::string cgroup,
                             ReadFileAt(directory.get(), "cgroup", kMaxCgroup));
  process.cgroup = ParseCgroup(cgroup);
  return process;
}

// The first thread may end alone, and the others go on.
bool ProcFs::Lives(int32_t pid, uint64_t start_ticks) const {
  const absl::StatusOr<Fd> process = OpenDirectory(absl::StrCat(root_, "/", pid));
  if (!process.ok()) return false;
  const absl::StatusOr<ProcessStat> first = ReadStat(process->get());
  if (!first.ok() || first->start_ticks != start_ticks) return false;
  const auto goes_on = [](const std::string& thread) {
    const absl::StatusOr<Fd> directory = OpenDirectory(thread);
    const auto stat = directory.ok() ? ReadStat(directory->get()) : directory.status();
    return stat.ok() && !stat->ending;
  };
  return !first->ending || std::ranges::any_of(OtherThreads(process->get(), pid), goes_on);
}

absl::StatusOr<uint64_t> ProcFs::ReadStart(int32_t pid) {
  KVMSENTRY_ASSIGN_OR_RETURN(const ProcessStat stat, ReadStat(root_, pid));
  return stat.start_ticks;
}

}  // namespace kvmsentry
