// What is read of a journal: from memory where it is there, else from disk.
#include <algorithm>
#include <utility>

#include "sensor/alert/disk_journal.h"
#include "sensor/alert/resume.h"

namespace kvmsentry {
namespace {

// What is kept in either of the two, which overlap or follow each other.
JournalBounds Merge(const std::vector<EpochBounds>& disk, const std::vector<EpochBounds>& ring) {
  JournalBounds bounds{disk};
  for (const EpochBounds& epoch : ring) {
    const auto same = std::ranges::find(bounds.epochs, epoch.epoch, &EpochBounds::epoch);
    if (same == bounds.epochs.end()) {
      bounds.epochs.push_back(epoch);
    } else {
      same->oldest = std::min(same->oldest, epoch.oldest);
      same->last = std::max(same->last, epoch.last);
    }
  }
  std::ranges::sort(bounds.epochs, {}, &EpochBounds::epoch);
  return bounds;
}

}  // namespace

JournalBounds DiskJournal::BoundsLocked() const { return Merge(disk_epochs_, ring_.epochs()); }

// Where the file cannot be read, what memory has is all there is.
absl::StatusOr<std::vector<AlertPtr>> DiskJournal::ReadFile(
    const std::function<absl::StatusOr<std::vector<AlertPtr>>(JournalFile&)>& read) const {
  const std::lock_guard reading(reader_mutex_);
  absl::Status status;
  if (reader_ == nullptr) {
    auto opened = JournalFile::OpenToRead(path());
    if (opened.ok()) reader_ = *std::move(opened);
    status = opened.status();
  }
  if (status.ok()) {
    auto alerts = read(*reader_);
    if (alerts.ok()) return alerts;
    status = alerts.status();
  }
  reader_.reset();
  const std::lock_guard lock(mutex_);
  disk_epochs_.clear();
  return status;
}

absl::StatusOr<Journal::Page> DiskJournal::Read(Position after, size_t max) const {
  // What is evicted between the two looks, or cannot be read, shows in the bounds of the next try.
  for (int tries = 0; tries < 3; ++tries) {
    Page page;
    Position start;
    {
      const std::lock_guard lock(mutex_);
      page.bounds = BoundsLocked();
      start = ContinueAt(after, page.bounds).after;
      page.alerts = ring_.After(start, max);
      if (!page.alerts.empty() && page.alerts[0]->position.sequence == start.sequence + 1) {
        return page;
      }
      if (start >= page.bounds.last()) return page;
    }
    auto alerts = ReadFile([&](JournalFile& file) { return file.Read(start, max); });
    if (!alerts.ok()) continue;
    if (alerts->empty() || (*alerts)[0]->position.sequence != start.sequence + 1) continue;
    page.alerts = *std::move(alerts);
    return page;
  }
  return absl::UnavailableError(absl::StrCat(path(), ": alerts cannot be read; try again"));
}

absl::StatusOr<std::vector<AlertPtr>> DiskJournal::ReadBefore(Position before, size_t max) const {
  {
    const std::lock_guard lock(mutex_);
    std::vector<AlertPtr> alerts = ring_.Before(before, max);
    if (!alerts.empty() || disk_epochs_.empty()) return alerts;
  }
  auto alerts = ReadFile([&](JournalFile& file) { return file.ReadBefore(before, max); });
  if (!alerts.ok()) return std::vector<AlertPtr>();
  return alerts;
}

std::vector<AlertPtr> DiskJournal::Open() const {
  const std::lock_guard lock(mutex_);
  return open_.All();
}

JournalBounds DiskJournal::bounds() const {
  const std::lock_guard lock(mutex_);
  return BoundsLocked();
}

uint64_t DiskJournal::appended() const {
  const std::lock_guard lock(mutex_);
  return appended_;
}

uint64_t DiskJournal::visible() const {
  const std::lock_guard lock(mutex_);
  return visible_;
}

JournalState DiskJournal::state() const {
  const std::lock_guard lock(mutex_);
  return {.path = path(),
          .problem = std::string(problem_.message()),
          .recreated = recreated_,
          .bytes = bytes_,
          .max_bytes = options_.limits.max_bytes,
          .unwritten = unwritten_};
}

void DiskJournal::OnVisible(std::function<void(Position last)> listener) {
  const std::lock_guard lock(mutex_);
  listener_ = std::move(listener);
}

}  // namespace kvmsentry
