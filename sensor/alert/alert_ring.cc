#include "sensor/alert/alert_ring.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kvmsentry {

AlertRing::AlertRing(Position last, size_t capacity)
    : capacity_(std::max<size_t>(capacity, 1)),
      epochs_{{.epoch = last.epoch, .oldest = last.sequence + 1, .last = last.sequence}} {}

AlertPtr AlertRing::Put(AlertPtr alert) {
  AlertPtr dropped;
  if (kept_.size() == capacity_) {
    dropped = std::move(kept_.front());
    kept_.pop_front();
    const uint64_t epoch = dropped->position.epoch;
    std::ranges::find(epochs_, epoch, &EpochBounds::epoch)->oldest = dropped->position.sequence + 1;
  }
  const Position position = alert->position;
  if (epochs_.back().epoch == position.epoch) {
    epochs_.back().last = position.sequence;
  } else {
    epochs_.push_back({position.epoch, position.sequence, position.sequence});
  }
  kept_.push_back(std::move(alert));
  // An epoch of which nothing is left still says where it ended.
  if (epochs_.size() > kMostEpochs && epochs_.front().epoch < kept_.front()->position.epoch) {
    epochs_.erase(epochs_.begin());
  }
  return dropped;
}

std::deque<AlertPtr>::const_iterator AlertRing::FirstAfter(Position after) const {
  return std::partition_point(kept_.begin(), kept_.end(),
                              [after](const AlertPtr& alert) { return alert->position <= after; });
}

std::vector<AlertPtr> AlertRing::After(Position after, size_t max) const {
  std::vector<AlertPtr> alerts;
  for (auto at = FirstAfter(after); at != kept_.end() && alerts.size() < max; ++at) {
    if ((*at)->position.epoch != after.epoch) break;
    alerts.push_back(*at);
  }
  return alerts;
}

std::vector<AlertPtr> AlertRing::AllAfter(Position after) const {
  return {FirstAfter(after), kept_.end()};
}

std::vector<AlertPtr> AlertRing::Before(Position before, size_t max) const {
  const auto end =
      std::partition_point(kept_.begin(), kept_.end(),
                           [before](const AlertPtr& alert) { return alert->position < before; });
  const auto count = std::min(static_cast<size_t>(end - kept_.begin()), max);
  return {std::make_reverse_iterator(end),
          std::make_reverse_iterator(end - static_cast<std::ptrdiff_t>(count))};
}

}  // namespace kvmsentry
