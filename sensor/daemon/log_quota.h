// A log whose volume others decide: only so many lines a second, and how many more there were.
// Pure.
#pragma once

#include <cstdint>

#include "sensor/base/time.h"

namespace kvmsentry {

class LogQuota {
 public:
  static constexpr uint64_t kLines = 20;

  // Whether a line may be logged at NOW.
  bool Admit(KernelTime now) {
    if (now - since_ >= kNsPerSecond && left_out_ == 0) {
      since_ = now;
      lines_ = 0;
    }
    if (lines_ < kLines) return ++lines_, true;
    ++left_out_;
    return false;
  }
  // The lines that were left out, once their second is over; 0 before. Call it at every tick.
  uint64_t TakeLeftOut(KernelTime now) {
    if (now - since_ < kNsPerSecond) return 0;
    const uint64_t left_out = left_out_;
    left_out_ = 0;
    return left_out;
  }

 private:
  KernelTime since_;
  uint64_t lines_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace kvmsentry
