// What the kernel tells of a cgroup in files alone: pressure, and what was reclaimed. Everything
// else the pass reads (bpf/resource). Opening a file of each VM each second would cost more than
// the rest of the sensor, so few are read at a time: who asks chooses whose.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"

namespace kvmsentry {

enum class Pressure : uint8_t { kCpu, kMemory, kIo };
inline constexpr std::array kPressures = {Pressure::kCpu, Pressure::kMemory, Pressure::kIo};
absl::string_view PressureName(Pressure of);  // "cpu.pressure"

// Microseconds for which tasks waited, cumulative. `full` is not known of all, on all kernels.
struct Stalls {
  uint64_t some_us = 0;
  std::optional<uint64_t> full_us;
  friend bool operator==(const Stalls&, const Stalls&) = default;
};

struct Reclaim {
  uint64_t pages = 0;     // that reclaim took away
  uint64_t refaults = 0;  // that were needed again
  friend bool operator==(const Reclaim&, const Reclaim&) = default;
};

struct GroupFiles {
  std::string path;  // of the cgroup in the unified hierarchy
  std::array<std::optional<Stalls>, kPressures.size()> stalls;
  std::optional<Reclaim> reclaim;
};

// Not thread safe.
class GroupReader {
 public:
  // PROC is where procfs is mounted, of which it also learns where cgroups are.
  static absl::StatusOr<GroupReader> Open(const std::string& proc = "/proc");

  // The path of the cgroup from which process PID has its CPU time, in whichever hierarchy.
  // NOT_FOUND where there is no such process.
  absl::StatusOr<std::string> CpuGroup(int32_t pid) const;

  // Of the cgroup that process PID is in, in the unified hierarchy. FAILED_PRECONDITION where it is
  // in the root of it, NOT_FOUND where there is no such process. Files that are not there are left
  // out.
  absl::StatusOr<GroupFiles> Read(int32_t pid) const;

 private:
  std::string proc_;
  std::string mount_;  // of the unified hierarchy; empty where it is not mounted
};

// ---- Pure parsers -------------------------------------------------------------------------------

// Documentation/accounting/psi.rst.
absl::StatusOr<Stalls> ParsePressure(absl::string_view content);
// Of memory.stat, Documentation/admin-guide/cgroup-v2.rst.
Reclaim ParseReclaim(absl::string_view content);
// The path in the unified hierarchy, of /proc/PID/cgroup; empty where there is none.
std::string UnifiedPath(absl::string_view content);
// That of the controller cpu, where it is in a hierarchy of its own, else as UnifiedPath.
std::string CpuPath(absl::string_view content);
// Where the unified hierarchy is mounted, of /proc/self/mounts; empty where it is not.
std::string UnifiedMount(absl::string_view content);

}  // namespace kvmsentry
