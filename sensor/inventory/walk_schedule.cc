#include "sensor/inventory/walk_schedule.h"

#include <algorithm>

namespace kvmsentry {

void WalkSchedule::Request(KernelTime now) { requested_ = std::max(requested_.value_or(now), now); }

void WalkSchedule::Doubt() { doubt_ = true; }

void WalkSchedule::Walked(KernelTime begin, KernelTime end) {
  walked_ = true;
  doubt_ = false;
  begin_ = begin;
  end_ = end;
  if (requested_ && *requested_ < begin) requested_.reset();
}

KernelTime WalkSchedule::Due() const {
  if (!walked_) return {};
  const bool calm = !requested_ && !doubt_;
  const int64_t wait = requested_ ? 0 : doubt_ ? options_.doubt_ns : options_.period_ns;
  const int64_t rest = calm ? options_.calm_rest : options_.rest;
  const KernelTime earliest = std::max(begin_ + options_.spacing_ns, end_ + rest * (end_ - begin_));
  return std::max(begin_ + wait, earliest);
}

}  // namespace kvmsentry
