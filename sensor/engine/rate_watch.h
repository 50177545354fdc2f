// Judges one VM's counter against a range or a burst.
#pragma once

#include <cstdint>
#include <span>

#include "sensor/engine/count_window.h"
#include "sensor/engine/norm_limits.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

enum class Verdict : uint8_t {
  kUnknown,   // too little was seen to say anything
  kDeviates,  // outside the norm
  kBetween,   // not outside, but not yet so far inside that an alert would clear
  kNormal,
};

enum class Bound : uint8_t { kMost, kLeast };  // which end of the norm

struct Judgement {
  Verdict verdict = Verdict::kUnknown;
  uint64_t occurrences = 0;    // in a window; of kDeviates, what is proven; else the average
  Bound bound = Bound::kMost;  // of kDeviates: the end that was passed
  int64_t excess = 0;          // of kDeviates: how many times the limit, in thousandths, >= 1000
};

// How many times B is in A, in thousandths, at least 1000 and at most a million times; 0 counts
// as 1.
int64_t Excess(uint64_t a, uint64_t b);

struct CountSeen {
  KernelTime time;
  uint64_t value = 0;  // cumulative
  bool lossy = false;  // it may be too low
};

class RateWatch {
 public:
  explicit RateWatch(const NormLimits& limits) : window_(limits.window_ns) {}

  // LIMITS are those it was made with. Unless an alert is OPEN there is none to clear, and only
  // what deviates is worth judging: all else is kUnknown.
  Judgement OnCount(const NormLimits& limits, const CountSeen& count, bool open);
  // OnCount for a count that cannot deviate, while no alert is open and there is no minimum.
  void AddSafe(KernelTime time, uint64_t count) { window_.Add(time, count); }
  // The same of a count that stays as it is.
  void AddUnchanged(std::span<const KernelTime> times, uint64_t count) {
    window_.AddUnchanged(times, count);
  }
  // No count up to this and the norm's most deviates.
  uint64_t OldestCount() const { return window_.OldestCount(); }

  // What the kernel counted in a shorter time was also in the window, which is all that this says:
  // it deviates or is kUnknown.
  Judgement OnCrossed(const NormLimits& limits, const Observation& crossed);

 private:
  KernelTime complete_since_;  // before it counts may be too low, and a minimum is not judged
  KernelTime deviated_at_;
  CountWindow window_;
};

}  // namespace kvmsentry
