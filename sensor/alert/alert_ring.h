// The newest alerts, in memory.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "sensor/alert/journal.h"

namespace kvmsentry {

// Positions ascend, within an epoch by one. Not thread safe.
class AlertRing {
 public:
  // LAST is where the stream stands: what comes next follows it, or is of a later epoch. CAPACITY
  // is at least 1.
  AlertRing(Position last, size_t capacity);

  // Returns the oldest, which went for it; nullptr: none did.
  AlertPtr Put(AlertPtr alert);

  // At most MAX alerts after AFTER and of its epoch.
  std::vector<AlertPtr> After(Position after, size_t max) const;
  // All alerts after AFTER.
  std::vector<AlertPtr> AllAfter(Position after) const;
  // At most MAX alerts before BEFORE, the newest first.
  std::vector<AlertPtr> Before(Position before, size_t max) const;

  const std::vector<EpochBounds>& epochs() const { return epochs_; }
  Position last() const { return {epochs_.back().epoch, epochs_.back().last}; }
  size_t size() const { return kept_.size(); }
  size_t capacity() const { return capacity_; }

 private:
  static constexpr size_t kMostEpochs = 64;  // more, where alerts of more are kept

  std::deque<AlertPtr>::const_iterator FirstAfter(Position after) const;

  const size_t capacity_;
  std::deque<AlertPtr> kept_;        // the newest at the back
  std::vector<EpochBounds> epochs_;  // ascending; at least one
};

}  // namespace kvmsentry
