// What flows back from specs to probes: how many occurrences, in which time, the kernel must tell
// at once instead of only counting.
#pragma once

#include <compare>
#include <cstdint>

#include "bpf/records.h"

namespace kvmsentry {

struct Limit {
  ks_meter meter;
  uint64_t count = 0;     // told when more than this ...
  int64_t window_ns = 0;  // ... were counted within this
  friend auto operator<=>(const Limit&, const Limit&) = default;
};

}  // namespace kvmsentry
