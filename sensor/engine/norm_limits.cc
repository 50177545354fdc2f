#include "sensor/engine/norm_limits.h"

#include <algorithm>
#include <cmath>

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

// A rate such as 0.29/s over 100 s is 28.999999999999996 in floating point and means 29.
constexpr double kRounding = 1e-6;
constexpr double kLargest = 1e18;
constexpr double kThousandths = 1000;

double InWindow(double per_second, int64_t window_ns) {
  const double occurrences =
      per_second * static_cast<double>(window_ns) / static_cast<double>(kNsPerSecond);
  return std::clamp(occurrences, 0.0, kLargest);
}

uint64_t RoundDown(double occurrences) {
  return static_cast<uint64_t>(std::floor(occurrences + kRounding));
}

uint64_t RoundUp(double occurrences) {
  return static_cast<uint64_t>(std::max(0.0, std::ceil(occurrences - kRounding)));
}

}  // namespace

int64_t QuietTime(const Spec& spec) {
  if (const auto* burst = std::get_if<BurstNorm>(&spec.norm)) {
    return std::max(10 * burst->window_ns, 2 * kNsPerSecond);
  }
  if (std::holds_alternative<RangeNorm>(spec.norm)) return spec.window_ns;
  return std::max(spec.window_ns, kNsPerSecond);
}

NormLimits LimitsOf(const Spec& spec, uint32_t vcpus) {
  const Feature& feature = FeatureOf(spec.feature);
  const bool is_level = feature.kind == FeatureKind::kLevel;
  NormLimits limits;
  limits.window_ns = spec.window_ns;
  limits.quiet_ns = QuietTime(spec);
  limits.times = spec.per_vcpu ? vcpus : 1;
  if (const auto* burst = std::get_if<BurstNorm>(&spec.norm)) {
    limits.window_ns = burst->window_ns;
    limits.most = burst->count * (spec.per_vcpu ? vcpus : 1);
    limits.clear_most = *limits.most;
  } else if (const auto* range = std::get_if<RangeNorm>(&spec.norm)) {
    limits.of_given = range->of_given;
    const auto amount = [&](double value) {
      if (!is_level) return InWindow(value * limits.times, spec.window_ns);
      const double steps = range->of_given ? kThousandths : static_cast<double>(feature.scale);
      return std::clamp(value * limits.times * steps, 0.0, kLargest);
    };
    if (range->max) {
      limits.most = RoundDown(amount(*range->max));
      limits.clear_most = RoundDown(amount(range->clear_max));
    }
    if (range->min) {
      limits.least = RoundUp(amount(*range->min));
      limits.clear_least = RoundUp(amount(range->clear_min));
    }
  }
  return limits;
}

}  // namespace kvmsentry
