#include "sensor/alert/memory_journal.h"

#include <utility>

#include "sensor/alert/resume.h"

namespace kvmsentry {

absl::Status MemoryJournal::Append(JournaledAlert alert) {
  // Allocated and, below, freed outside of the lock: readers wait for a pointer's move only.
  auto shared = std::make_shared<JournaledAlert>(std::move(alert));
  AlertPtr dropped;
  Position position;
  {
    const std::lock_guard lock(mutex_);
    position = ring_.last();
    ++position.sequence;
    shared->position = position;
    lives_.Take(*shared);
    open_.Take(shared);
    dropped = ring_.Put(std::move(shared));
  }
  listener_(position);
  return absl::OkStatus();
}

absl::StatusOr<Journal::Page> MemoryJournal::Read(Position after, size_t max) const {
  const std::lock_guard lock(mutex_);
  Page page{.bounds = {ring_.epochs()}, .alerts = {}};
  page.alerts = ring_.After(ContinueAt(after, page.bounds).after, max);
  return page;
}

absl::StatusOr<std::vector<AlertPtr>> MemoryJournal::ReadBefore(Position before, size_t max) const {
  const std::lock_guard lock(mutex_);
  return ring_.Before(before, max);
}

std::vector<AlertPtr> MemoryJournal::Open() const {
  const std::lock_guard lock(mutex_);
  return open_.All();
}

JournalBounds MemoryJournal::bounds() const {
  const std::lock_guard lock(mutex_);
  return {ring_.epochs()};
}

void MemoryJournal::OnVisible(std::function<void(Position last)> listener) {
  listener_ = std::move(listener);
}

}  // namespace kvmsentry
