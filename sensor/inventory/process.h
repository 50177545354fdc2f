// What /proc tells of a process. All of it is the process's own to choose, but for its number, its
// start, its executable and its cgroup: untrusted bytes, bounded, and raw because they are to be
// parsed. Whatever is made of them to be shown is escaped there (naming.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"

namespace kvmsentry {

// libvirt writes some 400 bytes a disk.
inline constexpr size_t kMaxCommandLine = 256 << 10;

struct ProcessFacts {
  int32_t pid = 0;           // of the thread group
  uint64_t start_ticks = 0;  // with pid its identity, since pids are reused
  KernelTime start;          // the same as a time, never later than it was, and earlier by a tick
                             // (10 ms) at most, if the host has not slept since
  std::string comm;
  std::string exe;                // as the link reads; empty for a kernel thread
  std::vector<std::string> args;  // of the first kMaxCommandLine bytes of the command line
  std::string cgroup;             // path within its hierarchy, "/" for the root
  friend bool operator==(const ProcessFacts&, const ProcessFacts&) = default;
};

// The directory in /proc, below ROOT, that tells of the memory and the files of process PID: its
// own, or that of another of its threads where the first has ended, for then its own tells nothing
// of them (fs/proc/base.c; exit_mm and exit_files, kernel/exit.c).
absl::StatusOr<Fd> OpenLiving(const std::string& root, int32_t pid);

// The inventory's eyes. A process that is not there is NotFound: that is an answer, not a fault.
class ProcessReader {
 public:
  virtual ~ProcessReader() = default;

  // PID may be any thread's: pid is then its process's, and start that of the thread.
  virtual absl::StatusOr<ProcessFacts> Read(int32_t pid) = 0;

  // Only start_ticks: whether PID is still who it was.
  virtual absl::StatusOr<uint64_t> ReadStart(int32_t pid) = 0;

  // Whether PID is still to be read, so that an answer may come at a later look. Where reading is
  // all it takes, there is nothing to wait for.
  virtual bool Pending(int32_t /*pid*/) { return false; }
};

class ProcFs final : public ProcessReader {
 public:
  // SUSPENDED_NS is how long the host has slept since boot: starts are told in CLOCK_BOOTTIME, and
  // KernelTime is CLOCK_MONOTONIC.
  explicit ProcFs(std::string root = "/proc", int64_t suspended_ns = SuspendedNs());

  absl::StatusOr<ProcessFacts> Read(int32_t pid) override;
  absl::StatusOr<uint64_t> ReadStart(int32_t pid) override;

  // Whether the process PID that began at START_TICKS runs a program still.
  bool Lives(int32_t pid, uint64_t start_ticks) const;

  static int64_t SuspendedNs();

 private:
  std::string root_;
  int64_t suspended_ns_;
  int64_t ticks_per_second_;
};

// ---- Pure parsers -------------------------------------------------------------------------------

struct ProcessStat {
  std::string comm;
  char state = 0;
  int32_t parent = 0;
  uint64_t start_ticks = 0;
  // The thread runs no program any more, though it may be some time until it is gone.
  bool ending = false;
};

// Whether the process PID that began at START_TICKS still lives.
bool IsStill(ProcessReader& processes, int32_t pid, uint64_t start_ticks);

// /proc/PID/stat, proc_pid_stat(5).
absl::StatusOr<ProcessStat> ParseStat(absl::string_view stat);

// /proc/PID/cgroup, cgroups(7): the path in the v2 hierarchy, if the process is not left in its
// root as it is where v1 is in use; else the deepest of the v1 hierarchies, and of equals systemd's
// own, then memory's, then cpu's.
std::string ParseCgroup(absl::string_view cgroup);

}  // namespace kvmsentry
