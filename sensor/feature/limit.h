// What flows back from specs to probes: how many occurrences, in which time, the kernel must tell
// at once instead of only counting.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "sensor/feature/feature.h"

namespace kvmsentry {

// So many the kernel holds of one meter.
inline constexpr size_t kLimitsPerMeter = 2;

struct Limit {
  MeterRef meter;
  uint64_t count = 0;     // told when more than this ...
  int64_t window_ns = 0;  // ... were counted within this
  friend auto operator<=>(const Limit&, const Limit&) = default;
};

}  // namespace kvmsentry
