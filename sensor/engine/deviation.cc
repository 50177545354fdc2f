#include "sensor/engine/deviation.h"

#include <algorithm>

#include "sensor/engine/score.h"

namespace kvmsentry {

void Deviation::See(KernelTime at, int64_t excess, const Patience& patience) {
  if (!open_ && !pending_) {
    pending_ = true;
    began_at_ = at;
    count_ = 0;
    worst_ = 0;
  }
  ++count_;
  worst_ = std::max(worst_, excess);
  normal_ = false;
  if (!pending_ || at - began_at_ < patience.for_ns) return;
  pending_ = false;
  open_ = true;
  told_ = false;
  opened_at_ = at;
}

void Deviation::SetNormal(KernelTime at) {
  pending_ = false;
  if (!normal_) normal_at_ = at;
  normal_ = true;
}

void Deviation::SetBetween(const Patience& patience) {
  pending_ = false;
  if (patience.hold_ns > 0) normal_ = false;
}

void Deviation::End() {
  pending_ = false;
  normal_ = true;
  ended_ = true;
}

AlertState Deviation::Next(KernelTime now, int64_t update_every_ns, int64_t half_life_ns,
                           int32_t weight, const Patience& patience) {
  if (!open_) return AlertState::kNone;
  AlertState state = AlertState::kNone;
  if (!told_) {
    state = AlertState::kOpen;
  } else if (normal_ && (ended_ || now - normal_at_ >= patience.hold_ns)) {
    left_ = Millipoints(now, half_life_ns, weight);
    closed_at_ = now;
    open_ = false;
    normal_ = false;
    ended_ = false;
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
