#include "sensor/alert/resume.h"

namespace kvmsentry {
namespace {

Resume From(uint64_t next, const JournalBounds& bounds, GapReason if_lost) {
  if (next >= bounds.oldest) return {.next = next, .gap = std::nullopt};
  return {.next = bounds.oldest,
          .gap = Gap{.from = {bounds.epoch, next},
                     .to = {bounds.epoch, bounds.oldest - 1},
                     .reason = if_lost}};
}

}  // namespace

Resume ResumeAfter(std::optional<Position> since, const JournalBounds& bounds) {
  if (!since) return {.next = bounds.oldest, .gap = std::nullopt};
  if (since->epoch != bounds.epoch) {
    return {.next = bounds.oldest,
            .gap = Gap{.from = *since,
                       .to = {bounds.epoch, bounds.oldest - 1},
                       .reason = GapReason::kEpochChanged}};
  }
  if (since->sequence > bounds.last) {
    return {.next = bounds.oldest,
            .gap = Gap{.from = {bounds.epoch, bounds.last + 1},
                       .to = *since,
                       .reason = GapReason::kNotYetWritten}};
  }
  return From(since->sequence + 1, bounds, GapReason::kNoLongerKept);
}

Resume ContinueAt(uint64_t next, const JournalBounds& bounds) {
  return From(next, bounds, GapReason::kSlowSubscriber);
}

}  // namespace kvmsentry
