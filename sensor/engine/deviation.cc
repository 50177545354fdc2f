#include "sensor/engine/deviation.h"

#include <algorithm>

#include "sensor/engine/score.h"

namespace kvmsentry {

void Deviation::See(KernelTime at, int64_t excess) {
  if (!open_) {
    open_ = true;
    told_ = false;
    opened_at_ = at;
    count_ = 0;
    worst_ = 0;
  }
  normal_ = false;
  ++count_;
  worst_ = std::max(worst_, excess);
}

AlertState Deviation::Next(KernelTime now, int64_t update_every_ns, int64_t half_life_ns,
                           int32_t weight) {
  if (!open_) return AlertState::kNone;
  AlertState state = AlertState::kNone;
  if (!told_) {
    state = AlertState::kOpen;
  } else if (normal_) {
    left_ = Millipoints(now, half_life_ns, weight);
    closed_at_ = now;
    open_ = false;
    normal_ = false;
    return AlertState::kCleared;
  } else if (news_ || worst_ >= 2 * told_worst_ ||
             (update_every_ns > 0 && now - told_at_ >= update_every_ns)) {
    state = AlertState::kUpdated;
  } else {
    return AlertState::kNone;
  }
  told_ = true;
  news_ = false;
  told_at_ = now;
  told_worst_ = worst_;
  return state;
}

int64_t Deviation::Millipoints(KernelTime now, int64_t half_life_ns, int32_t weight) const {
  const int64_t left = Decayed(left_, now - closed_at_, half_life_ns);
  return open_ ? std::max(Earned(weight, worst_), left) : left;
}

}  // namespace kvmsentry
