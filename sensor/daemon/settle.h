// When to act on something that comes in bursts: a while after the last of them. Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "sensor/base/time.h"

namespace kvmsentry {

class Settle {
 public:
  // QUIET_NS after the last of a burst, but no later than LONGEST_NS after its first.
  Settle(int64_t quiet_ns, int64_t longest_ns) : quiet_ns_(quiet_ns), longest_ns_(longest_ns) {}

  void Note(KernelTime now) {
    if (!first_) first_ = now;
    due_ = std::min(now + quiet_ns_, *first_ + longest_ns_);
  }
  // Whether a burst has settled; true once for each.
  bool Take(KernelTime now) {
    if (!first_ || now < due_) return false;
    first_.reset();
    return true;
  }

 private:
  const int64_t quiet_ns_;
  const int64_t longest_ns_;
  std::optional<KernelTime> first_;
  KernelTime due_;  // while there is a first
};

}  // namespace kvmsentry
