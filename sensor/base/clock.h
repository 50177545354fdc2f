// The clock, passed in where time is needed so that tests can pass their own.
#pragma once

#include "absl/time/time.h"

#include "sensor/base/time.h"

namespace kvmsentry {

// Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual KernelTime Now() const = 0;
  virtual absl::Time WallNow() const = 0;
};

// CLOCK_MONOTONIC and the wall clock of this machine; lives for the whole process.
const Clock& SystemClock();

}  // namespace kvmsentry
