// The bands of a VM's score, and the alert of its own that crossing one raises.
#pragma once

#include <array>
#include <cstdint>

#include "sensor/base/time.h"
#include "sensor/engine/alert_event.h"
#include "sensor/feature/method.h"

namespace kvmsentry {

struct Band {
  int64_t from = 0;  // millipoints
  Severity severity = Severity::kNone;
};

// Rising. A band that begins at 0 or below does not exist.
using Bands = std::array<Band, 3>;

// A band is entered at its score and left below 80% of it.
class ScoreBand {
 public:
  // What is to be told of SCORE at NOW, taken as told: a band entered, another one, how it goes on,
  // or none any more.
  AlertState Next(const Bands& bands, int64_t score, KernelTime now, int64_t update_every_ns);

  bool open() const { return level_ > 0; }
  // The band that the alert was last told with; after kCleared the one that was left.
  const Band& band() const { return told_; }
  KernelTime opened_at() const { return opened_at_; }
  uint64_t count() const { return count_; }  // Ticks that found the score in a band

 private:
  size_t level_ = 0;  // 1: the first band
  Band told_;
  KernelTime opened_at_;
  KernelTime told_at_;
  uint64_t count_ = 0;
};

}  // namespace kvmsentry
