// One spec's deviation on one VM: open or not, what of it has been told, and what it adds to the
// VM's score.
#pragma once

#include <cstdint>

#include "sensor/base/time.h"
#include "sensor/engine/alert_event.h"

namespace kvmsentry {

// Seen as often as it is observed, told at most once a Tick.
class Deviation {
 public:
  // It was observed, reaching EXCESS thousandths of the limit.
  void See(KernelTime at, int64_t excess);
  // There is something new about it, however large it is.
  void AddNews() { news_ = true; }
  // The norm holds again, as long as it is not seen anew.
  void SetNormal() { normal_ = true; }

  // What is to be told at NOW, taken as told. It opens before it clears, so what came and went
  // within one Tick is told in two. A deviation is worse when it has doubled since last told.
  AlertState Next(KernelTime now, int64_t update_every_ns, int64_t half_life_ns, int32_t weight);

  // While it is open, all that its worst has earned; then that decays. One that comes back earns
  // anew, or keeps what is left of the last time, whichever is more: a spec counts once.
  int64_t Millipoints(KernelTime now, int64_t half_life_ns, int32_t weight) const;

  bool open() const { return open_; }
  KernelTime opened_at() const { return opened_at_; }
  uint64_t count() const { return count_; }  // observations since it opened

 private:
  bool open_ = false;
  bool told_ = false;
  bool normal_ = false;
  bool news_ = false;
  KernelTime opened_at_;
  KernelTime told_at_;
  uint64_t count_ = 0;
  int64_t worst_ = 0;  // excess, in thousandths
  int64_t told_worst_ = 0;
  int64_t left_ = 0;  // millipoints at closed_at_
  KernelTime closed_at_;
};

}  // namespace kvmsentry
