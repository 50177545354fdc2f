// When to look closer: detail that costs is attached while something deviates, and for a while
// after it. Pure.
#pragma once

#include <optional>

#include "sensor/base/time.h"

namespace kvmsentry {

class Zoom {
 public:
  // Attached for so long after the latest deviation, and left off for so long once it went: what
  // deviates now and then neither flaps nor goes without detail.
  static constexpr int64_t kHoldNs = 10 * kNsPerSecond;
  static constexpr int64_t kCoolDownNs = 5 * kNsPerSecond;

  // Whether it is to be attached, as of NOW; never earlier than the last time.
  bool Judge(bool deviates, KernelTime now);

 private:
  bool on_ = false;
  KernelTime deviated_;
  std::optional<KernelTime> off_since_;
};

}  // namespace kvmsentry
