#include "sensor/alert/resume.h"

#include <algorithm>

namespace kvmsentry {
namespace {

Position Before(const EpochBounds& epoch) { return {epoch.epoch, epoch.oldest - 1}; }

const EpochBounds* Find(uint64_t epoch, const JournalBounds& bounds) {
  const auto found = std::ranges::find(bounds.epochs, epoch, &EpochBounds::epoch);
  return found == bounds.epochs.end() ? nullptr : &*found;
}

Resume From(Position after, const JournalBounds& bounds, GapReason if_lost) {
  for (const EpochBounds& epoch : bounds.epochs) {
    if (epoch.epoch < after.epoch) continue;
    if (epoch.epoch == after.epoch) {
      if (after.sequence + 1 < epoch.oldest) {
        return {.after = Before(epoch),
                .gap = Gap{{after.epoch, after.sequence + 1}, Before(epoch), if_lost}};
      }
      if (after.sequence < epoch.last) return {.after = after, .gap = std::nullopt};
      continue;
    }
    // Where the epoch before is known, it was read to its end.
    const bool known = Find(after.epoch, bounds) != nullptr;
    if (known && epoch.oldest == 1) return {.after = Before(epoch), .gap = std::nullopt};
    const Position from =
        known ? Position{epoch.epoch, 1} : Position{after.epoch, after.sequence + 1};
    return {.after = Before(epoch), .gap = Gap{from, Before(epoch), if_lost}};
  }
  return {.after = after, .gap = std::nullopt};
}

}  // namespace

Resume ResumeAfter(std::optional<Position> since, const JournalBounds& bounds) {
  const Position start = Before(bounds.epochs.front());
  if (!since) return {.after = start, .gap = std::nullopt};
  const EpochBounds* const epoch = Find(since->epoch, bounds);
  if (epoch == nullptr) {
    return {.after = start, .gap = Gap{*since, start, GapReason::kEpochChanged}};
  }
  if (since->sequence > epoch->last) {
    return {.after = start,
            .gap = Gap{{epoch->epoch, epoch->last + 1}, *since, GapReason::kNotYetWritten}};
  }
  return From(*since, bounds, GapReason::kNoLongerKept);
}

Resume ContinueAt(Position after, const JournalBounds& bounds) {
  return From(after, bounds, GapReason::kSlowSubscriber);
}

}  // namespace kvmsentry
