// What a cumulative counter says about a window of time, from samples at irregular times.
//
// Two samples SPAN apart say that DELTA occurrences fell between them, not when. About windows of
// length W within that span this proves two things, and no more:
//
//   some window held at least DELTA / ceil(SPAN / W): cut the span into that many pieces, none
//   longer than W; if each held fewer, they could not add up to DELTA;
//
//   some window held at most DELTA / floor(SPAN / W), by the same argument.
//
// The plain average, DELTA * W / SPAN, proves neither: two bursts of 10 at the two ends of 1.5 W
// average 13 a window, and no window holds more than 10. So the average may close an alert but
// never opens one. Where samples are further apart than W, a count is thus spread over whole
// windows; where they are closer, the latest SPAN <= W counts in full.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/container/inlined_vector.h"

#include "sensor/base/time.h"

namespace kvmsentry {

// Keeps at most kSamples samples, so that a long window is seen in steps of 1/28 of its length: the
// latest span of at most a window may miss that much of it, and one distance between samples. While
// a count stays as it is, the first and the latest sample say what all between them would.
class CountWindow {
 public:
  explicit CountWindow(int64_t window_ns);

  enum class Added : uint8_t {
    kAdvanced,
    kStale,      // older than the latest sample: says nothing new
    kRestarted,  // the first sample, or the counter went back: nothing is known of before
  };
  Added Add(KernelTime time, uint64_t count);

  // Add of COUNT, which is the latest sample's, at each of TIMES, which rise; but what is older
  // than three windows before the last of them is skipped.
  void AddUnchanged(std::span<const KernelTime> times, uint64_t count);

  // At least so many occurrences fell within one window that lies in the samples kept.
  uint64_t Busiest() const;

  // Busiest() cannot be more than a later count less this; 0 before the first sample.
  uint64_t OldestCount() const { return samples_.empty() ? 0 : samples_[0].count; }

  // The shortest span of at least one window that ends at the latest sample; nullopt until a full
  // window has been seen.
  struct Full {
    KernelTime since;
    uint64_t quietest;      // at most so many fell within one window of the span
    uint64_t average;       // occurrences a window over the span, rounded down ...
    uint64_t average_ceil;  // ... and up
  };
  std::optional<Full> LatestFull() const;

 private:
  struct Sample {
    KernelTime time;
    uint64_t count = 0;
  };
  static constexpr size_t kSamples = 32;

  // The latest two have this count.
  bool Stays(uint64_t count) const;
  void DropBefore(KernelTime since);

  int64_t window_ns_;
  int64_t spacing_ns_;                      // between samples kept, the latest excepted
  absl::InlinedVector<Sample, 2> samples_;  // most counts of most VMs stay as they are
};

}  // namespace kvmsentry
