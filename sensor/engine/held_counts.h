// The counts of one rate that its specs have not looked at yet.
//
// A count that cannot deviate from any norm changes nothing but the windows' samples, and those can
// wait. So it is held here, in the cache line or two of this rate, and only every few counts are
// the windows of all specs touched, which lie far apart. What the windows then say is the same to
// the bit, for they get the same samples.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "sensor/base/time.h"

namespace kvmsentry {

struct alignas(64) HeldCounts {
  struct Sample {
    KernelTime time;
    uint64_t count = 0;
  };
  static constexpr size_t kMost = 5;

  KernelTime latest_time;     // of the latest sample, held or not ...
  uint64_t latest_count = 0;  // ... and its count
  uint64_t safe_until = 0;    // no count up to this deviates from any norm
  uint64_t detail = 0;        // what the latest occurrence named
  uint64_t unchanged = 0;     // how many entries of the source's UnchangedLog were looked at
  uint8_t held = 0;
  bool begun = false;  // there is a first sample
  bool awake = true;   // each count matters: an alert is open, or a norm has a minimum
  bool has_detail = false;
  std::array<Sample, kMost> samples;
};
static_assert(sizeof(HeldCounts) == 128);

}  // namespace kvmsentry
