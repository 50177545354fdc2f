// One spec's deviation on one VM: open or not, what of it has been reported, and what it adds to
// the VM's score.
#pragma once

#include <cstdint>

#include "sensor/base/time.h"
#include "sensor/engine/alert_event.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// Seen as often as it is observed, reported at most once a Tick.
class Deviation {
 public:
  // It was observed, reaching EXCESS thousandths of the limit. It opens once it was observed for
  // PATIENCE.for_ns, without anything else observed in between.
  void See(KernelTime at, int64_t excess, const Patience& patience = {});
  // There is something new about it, however large it is.
  void AddNews() { news_ = true; }
  // The norm holds again as of AT, as long as the deviation is not seen again.
  void SetNormal(KernelTime at = {});
  // Neither outside the norm nor so far inside that it would clear.
  void SetBetween(const Patience& patience);
  // There is nothing to wait for: it clears at the next Tick.
  void End();

  // What is to be reported at NOW, taken as reported. It opens before it clears, so what came and
  // went within one Tick is reported in two. A deviation is worse when it has doubled since.
  AlertState Next(KernelTime now, int64_t update_every_ns, int64_t half_life_ns, int32_t weight,
                  const Patience& patience = {});

  // While it is open, all that its worst has earned; then that decays. One that comes back earns
  // anew, or keeps what is left of the last time, whichever is more: a spec counts once.
  int64_t Millipoints(KernelTime now, int64_t half_life_ns, int32_t weight) const;

  bool open() const { return open_; }
  // It deviates, but not yet for so long that it would open.
  bool pending() const { return pending_; }
  KernelTime began_at() const { return began_at_; }  // while it is pending or open
  KernelTime opened_at() const { return opened_at_; }
  uint64_t count() const { return count_; }  // observations since it began

 private:
  bool open_ = false;
  bool pending_ = false;
  bool told_ = false;
  bool normal_ = false;
  bool ended_ = false;
  bool news_ = false;
  KernelTime began_at_;
  KernelTime opened_at_;
  KernelTime told_at_;
  KernelTime normal_at_;
  uint64_t count_ = 0;
  int64_t worst_ = 0;  // excess, in thousandths
  int64_t told_worst_ = 0;
  int64_t left_ = 0;  // millipoints at closed_at_
  KernelTime closed_at_;
};

}  // namespace kvmsentry
