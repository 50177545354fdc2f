// A rate's norm in whole occurrences a window, a level's in whole steps of its value, so that
// judging needs no floating point.
#pragma once

#include <cstdint>
#include <optional>

#include "sensor/spec/spec.h"

namespace kvmsentry {

struct NormLimits {
  int64_t window_ns = 0;
  std::optional<uint64_t> most;   // more occurrences in a window deviate
  std::optional<uint64_t> least;  // fewer deviate
  uint64_t clear_most = 0;        // an open alert clears at no more than this ...
  uint64_t clear_least = 0;       // ... and no fewer than this on average over a full window ...
  bool of_given = false;          // of a level: all of these are thousandths of a percent
  double times = 1;               // what the norm's numbers were multiplied by
  int64_t quiet_ns = 0;           // ... and only so long after the last deviation
};

// How long after its last deviation an alert clears at the earliest: a range, one window; a burst,
// ten windows and at least 2 s, for the kernel tells of one that goes on only once a second; a set,
// its window and at least 1 s, so that a member seen at every tick is one alert.
int64_t QuietTime(const Spec& spec);

// Of a range or a burst; a set has no limits, only its window. A norm per vCPU is that of VCPUS.
NormLimits LimitsOf(const Spec& spec, uint32_t vcpus = 1);

}  // namespace kvmsentry
