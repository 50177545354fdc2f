#include "sensor/alert/memory_journal.h"

#include <algorithm>
#include <utility>

namespace kvmsentry {

MemoryJournal::MemoryJournal(uint64_t epoch, size_t capacity)
    : epoch_(epoch), capacity_(std::max<size_t>(capacity, 1)) {}

absl::StatusOr<Position> MemoryJournal::Append(JournaledAlert alert) {
  // Allocated and, below, freed outside of the lock: readers wait for a pointer's move only.
  auto shared = std::make_shared<JournaledAlert>(std::move(alert));
  std::shared_ptr<const JournaledAlert> dropped;
  std::lock_guard lock(mutex_);
  shared->position = {epoch_, ++last_};
  const Position position = shared->position;
  if (kept_.size() == capacity_) {
    dropped = std::move(kept_.front());
    kept_.pop_front();
  }
  kept_.push_back(std::move(shared));
  return position;
}

absl::StatusOr<Journal::Page> MemoryJournal::Read(uint64_t next, size_t max) const {
  Page page;
  std::lock_guard lock(mutex_);
  page.bounds = BoundsLocked();
  if (next > last_) return page;
  const size_t skipped = next > page.bounds.oldest ? next - page.bounds.oldest : 0;
  const size_t count = std::min(max, kept_.size() - skipped);
  const auto first = kept_.begin() + static_cast<std::ptrdiff_t>(skipped);
  page.alerts.assign(first, first + static_cast<std::ptrdiff_t>(count));
  return page;
}

JournalBounds MemoryJournal::bounds() const {
  std::lock_guard lock(mutex_);
  return BoundsLocked();
}

JournalBounds MemoryJournal::BoundsLocked() const {
  return {.epoch = epoch_, .oldest = last_ - kept_.size() + 1, .last = last_};
}

}  // namespace kvmsentry
