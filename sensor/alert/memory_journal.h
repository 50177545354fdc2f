// A journal that lives as long as its process.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>

#include "sensor/alert/journal.h"

namespace kvmsentry {

class MemoryJournal final : public Journal {
 public:
  static constexpr size_t kDefaultCapacity = 4096;

  // EPOCH is not 0 and differs from that of every other run, as the wall clock's milliseconds at
  // the start do. CAPACITY is at least 1.
  explicit MemoryJournal(uint64_t epoch, size_t capacity = kDefaultCapacity);

  absl::StatusOr<Position> Append(JournaledAlert alert) override;
  absl::StatusOr<Page> Read(uint64_t next, size_t max) const override;
  JournalBounds bounds() const override;
  size_t capacity() const override { return capacity_; }

 private:
  JournalBounds BoundsLocked() const;

  const uint64_t epoch_;
  const size_t capacity_;
  mutable std::mutex mutex_;
  uint64_t last_ = 0;
  std::deque<std::shared_ptr<const JournaledAlert>> kept_;  // the newest at the back
};

}  // namespace kvmsentry
