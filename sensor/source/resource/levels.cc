#include "sensor/source/resource/levels.h"

#include <algorithm>

#include "absl/numeric/int128.h"

namespace kvmsentry {
namespace {

// VALUE / WHOLE in units of 1/SCALE.
uint64_t Share(uint64_t value, uint64_t whole, uint64_t scale) {
  if (whole == 0) return 0;
  return static_cast<uint64_t>(absl::uint128(value) * scale / whole);
}

// A kill that the cgroup has not counted by then was of a process elsewhere.
constexpr uint64_t kCountedWithin = 10'000'000'000;

constexpr uint64_t kMillis = 1000;    // of a CPU
constexpr uint64_t kPerMille = 1000;  // tenths of a percent

}  // namespace

CpuLevels CpuOf(const ks_resource_vm& before, const ks_resource_vm& now, uint32_t vcpus) {
  const uint64_t elapsed = Since(before.time_ns, now.time_ns);
  CpuLevels levels;
  levels.used = {Share(Since(before.run, now.run), elapsed, kMillis), vcpus * kMillis};
  const bool moved = before.cpu_group != now.cpu_group;
  if (now.period == 0 || moved) return levels;
  levels.quota = {levels.used.value, Share(now.quota, now.period, kMillis)};
  levels.throttled = Share(Since(before.throttled, now.throttled), elapsed, kPerMille);
  return levels;
}

std::vector<uint64_t> WaitingOf(std::span<const VcpuTime> vcpus, uint64_t throttled_ns,
                                uint64_t elapsed_ns) {
  uint64_t all = 0;
  for (const VcpuTime& vcpu : vcpus) all += vcpu.delay_ns;
  const uint64_t left = Since(throttled_ns, all);
  std::vector<uint64_t> waiting;
  waiting.reserve(vcpus.size());
  for (const VcpuTime& vcpu : vcpus) {
    const uint64_t waited = Share(vcpu.delay_ns, all, left);
    // The delay of a wait is added when it ends: it may be longer than the time between two passes.
    waiting.push_back(std::min(Share(waited, elapsed_ns, kPerMille), kPerMille));
  }
  return waiting;
}

void MemoryCounts::Add(ResourceMeter meter, uint64_t before, uint64_t now) {
  counts_[meter] += Since(before, now);
}

void MemoryCounts::Take(const ks_resource_vm& now) {
  const ks_resource_vm before = last_;
  last_ = now;
  if (!known_) {
    known_ = true;
    return;
  }
  if (before.memory_group != now.memory_group) return;
  Add(kMemoryHighMeter, before.high_events, now.high_events);
  Add(kMemoryMaxMeter, before.max_events, now.max_events);
  Add(kMemoryOomMeter, before.oom_events, now.oom_events);
  AddKills(before, now);
}

// The choice of a victim is seen at once. The VM's cgroup counts the kill once it was done, and
// loses it with the VMM if that was the last process in it; it never counts a helper's elsewhere.
void MemoryCounts::AddKills(const ks_resource_vm& before, const ks_resource_vm& now) {
  const uint64_t victims = Since(before.oom_victims, now.oom_victims);
  const uint64_t kills = Since(before.oom_kills, now.oom_kills);
  if (victims != 0) victim_ns_ = now.time_ns;
  if (Since(victim_ns_, now.time_ns) > kCountedWithin) uncounted_ = 0;
  uncounted_ += victims;
  const uint64_t known = std::min(uncounted_, kills);
  uncounted_ -= known;
  counts_[kMemoryOomKillMeter] += victims + kills - known;
}

}  // namespace kvmsentry
