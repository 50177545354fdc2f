// A journal that lives as long as its process.
#pragma once

#include <cstddef>
#include <mutex>

#include "sensor/alert/alert_ring.h"
#include "sensor/alert/journal.h"
#include "sensor/alert/open_alerts.h"

namespace kvmsentry {

class MemoryJournal final : public Journal {
 public:
  static constexpr size_t kDefaultCapacity = 4096;

  // EPOCH is not 0 and differs from that of every other run, as the wall clock's milliseconds at
  // the start do. CAPACITY is at least 1.
  explicit MemoryJournal(uint64_t epoch, size_t capacity = kDefaultCapacity)
      : ring_({epoch, 0}, capacity) {}

  absl::Status Append(JournaledAlert alert) override;
  absl::StatusOr<Page> Read(Position after, size_t max) const override;
  absl::StatusOr<std::vector<AlertPtr>> ReadBefore(Position before, size_t max) const override;
  std::vector<AlertPtr> Open() const override;
  JournalBounds bounds() const override;
  uint64_t appended() const override { return visible(); }
  uint64_t visible() const override { return bounds().last().sequence; }
  size_t capacity() const override { return ring_.capacity(); }
  JournalState state() const override { return {}; }
  void OnVisible(std::function<void(Position last)> listener) override;
  void Tend(KernelTime /*now*/) override {}
  void Flush(std::chrono::nanoseconds /*limit*/) override {}

 private:
  mutable std::mutex mutex_;
  AlertRing ring_;    // guarded by mutex_
  OpenAlerts open_;   // guarded by mutex_
  AlertLives lives_;  // guarded by mutex_
  std::function<void(Position)> listener_ = [](Position /*last*/) {};
};

}  // namespace kvmsentry
