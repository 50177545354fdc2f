// From what two passes found of a VM to levels and counts. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bpf/resource/records.h"
#include "sensor/source/resource/features.h"

namespace kvmsentry {

// How much a count has grown; 0 where it went back.
constexpr uint64_t Since(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

// A value now, in the amount that Feature::scale says, and what the VM was given of it (0:
// unknown).
struct LevelNow {
  uint64_t value = 0;
  uint64_t given = 0;
};

struct CpuLevels {
  LevelNow used;                      // thousandths of a CPU
  std::optional<LevelNow> quota;      // the same, of its quota; none without one
  std::optional<uint64_t> throttled;  // tenths of a percent of the time, over 100% on several CPUs
};

// BEFORE and NOW are of the same VM, NOW later. VCPUS: 0 where unknown.
CpuLevels CpuOf(const ks_resource_vm& before, const ks_resource_vm& now, uint32_t vcpus);

struct VcpuTime {
  uint64_t ran_ns = 0;
  uint64_t delay_ns = 0;  // it could run and did not
};

// For each vCPU, tenths of a percent of the time for which it waited for a processor that another
// had. A vCPU that is kept off by its own quota waits, too, as the kernel sees it: what the cgroup
// was throttled for is taken off, from each vCPU in proportion to its delay, for the kernel does
// not say whose it was.
std::vector<uint64_t> WaitingOf(std::span<const VcpuTime> vcpus, uint64_t throttled_ns,
                                uint64_t elapsed_ns);

// Counts of a cgroup that never go back, although a VMM may be moved to another cgroup, where
// others have been counted.
class MemoryCounts {
 public:
  // NOW is what the latest pass found.
  void Take(const ks_resource_vm& now);
  // By ResourceMeter: those of events.
  const uint64_t* counts() const { return counts_; }

 private:
  void Add(ResourceMeter meter, uint64_t before, uint64_t now);
  void AddKills(const ks_resource_vm& before, const ks_resource_vm& now);

  bool known_ = false;
  ks_resource_vm last_ = {};
  uint64_t counts_[kResourceMeters] = {};
  uint64_t uncounted_ = 0;  // victims that the cgroup has not counted as killed
  uint64_t victim_ns_ = 0;  // when the latest was seen
};

}  // namespace kvmsentry
