// When to walk over all open files of all processes. A walk is dear on a host with many, and
// whoever may open /dev/kvm can ask for one by making a VM; so requests coalesce.
#pragma once

#include <optional>

#include "sensor/base/time.h"

namespace kvmsentry {

struct WalkScheduleOptions {
  int64_t period_ns = 10 * kNsPerSecond;  // without any reason ...
  int64_t calm_rest = 100;                // ... and then rest for this many times its length
  int64_t doubt_ns = 1 * kNsPerSecond;    // after a walk that left a doubt
  int64_t spacing_ns = 200 * kNsPerMs;    // at least, from begin to begin: 5 a second
  int64_t rest = 3;                       // where there is one, rest for this many times its length
};

// Pure. Not thread safe.
class WalkSchedule {
 public:
  explicit WalkSchedule(WalkScheduleOptions options = {}) : options_(options) {}

  // Something happened at NOW that a walk which begins later would show: a uevent, an overrun of
  // uevents, a VM that was born.
  void Request(KernelTime now);

  // The last walk did not find all VMs that there are: look again soon, but not at once for ever.
  void Doubt();

  // A walk was made. Requests that came before BEGIN are served by it, later ones are not.
  void Walked(KernelTime begin, KernelTime end);

  // When the next walk is due: in the past for "now", and before the first walk always.
  KernelTime Due() const;

 private:
  WalkScheduleOptions options_;
  bool walked_ = false;
  bool doubt_ = false;
  KernelTime begin_;
  KernelTime end_;
  std::optional<KernelTime> requested_;  // the latest
};

}  // namespace kvmsentry
