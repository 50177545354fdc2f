#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "sensor/source/catalogue.h"
#include "sensor/spec/library.h"

namespace kvmsentry {
namespace {

double PerSecond(const Limit& limit) {
  return static_cast<double>(limit.count) * 1e9 / static_cast<double>(limit.window_ns);
}

bool TighterRate(const Limit& a, const Limit& b) {
  return std::tuple(PerSecond(a), a.window_ns) < std::tuple(PerSecond(b), b.window_ns);
}

bool ShorterBurst(const Limit& a, const Limit& b) {
  return std::tuple(a.window_ns, a.count) < std::tuple(b.window_ns, b.count);
}

// Of one meter. The kernel holds kLimitsPerMeter of them. Ticks of user space evaluate every
// spec anyway, so which ones it holds decides mostly how early an alert opens; only a burst shorter
// than a tick is seen by nobody else. So: the tightest rate (fewest per time, then the shorter
// window) and the shortest burst (then the lower count) first, then the next ones of each in turn.
class LimitsOfMeter {
 public:
  void AddRate(const Limit& limit) { rates_.push_back(limit); }
  void AddBurst(const Limit& limit) { bursts_.push_back(limit); }

  void KeepTightest(std::set<Limit>& kept) {
    std::ranges::sort(rates_, TighterRate);
    std::ranges::sort(bursts_, ShorterBurst);
    std::set<Limit> own;
    for (size_t i = 0; i < std::max(rates_.size(), bursts_.size()); ++i) {
      if (i < rates_.size() && own.size() < kLimitsPerMeter) own.insert(rates_[i]);
      if (i < bursts_.size() && own.size() < kLimitsPerMeter) own.insert(bursts_[i]);
    }
    kept.merge(own);
  }

 private:
  std::vector<Limit> rates_;
  std::vector<Limit> bursts_;
};

// The most that still is normal. The addend undoes rounding: 0.29/s over 100 s is 29, not 28.
uint64_t CountWithin(double per_second, int64_t window_ns) {
  return static_cast<uint64_t>(
      std::floor(per_second * (static_cast<double>(window_ns) / 1e9) + 1e-6));
}

}  // namespace

std::vector<Limit> SpecLibrary::LimitsFor(const VmFacts& facts) const {
  std::map<MeterRef, LimitsOfMeter> meters;
  for (const Spec& spec : specs_) {
    const auto meter = FeatureOf(spec.feature).meter_ref();
    if (!meter || !spec.Selects(facts) || (spec.per_vcpu && facts.vcpus == 0)) continue;
    const uint64_t times = spec.per_vcpu ? facts.vcpus : 1;
    if (const auto* range = std::get_if<RangeNorm>(&spec.norm); range && range->max) {
      meters[*meter].AddRate({*meter,
                              CountWithin(*range->max * static_cast<double>(times), spec.window_ns),
                              spec.window_ns});
    } else if (const auto* burst = std::get_if<BurstNorm>(&spec.norm)) {
      meters[*meter].AddBurst({*meter, burst->count * times, burst->window_ns});
    }
  }
  std::set<Limit> kept;
  for (auto& [meter, limits] : meters) limits.KeepTightest(kept);
  return {kept.begin(), kept.end()};
}

}  // namespace kvmsentry
