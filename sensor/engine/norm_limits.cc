#include "sensor/engine/norm_limits.h"

#include <algorithm>
#include <cmath>

namespace kvmsentry {
namespace {

// A rate such as 0.29/s over 100 s is 28.999999999999996 in floating point and means 29.
constexpr double kRounding = 1e-6;
constexpr double kLargest = 1e18;

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
  if (std::holds_alternative<SetNorm>(spec.norm)) return std::max(spec.window_ns, kNsPerSecond);
  return spec.window_ns;
}

NormLimits LimitsOf(const Spec& spec) {
  NormLimits limits;
  limits.window_ns = spec.window_ns;
  limits.quiet_ns = QuietTime(spec);
  if (const auto* burst = std::get_if<BurstNorm>(&spec.norm)) {
    limits.window_ns = burst->window_ns;
    limits.most = burst->count;
    limits.clear_most = burst->count;
  } else if (const auto* range = std::get_if<RangeNorm>(&spec.norm)) {
    if (range->max) {
      limits.most = RoundDown(InWindow(*range->max, spec.window_ns));
      limits.clear_most = RoundDown(InWindow(range->clear_max, spec.window_ns));
    }
    if (range->min) {
      limits.least = RoundUp(InWindow(*range->min, spec.window_ns));
      limits.clear_least = RoundUp(InWindow(range->clear_min, spec.window_ns));
    }
  }
  return limits;
}

}  // namespace kvmsentry
