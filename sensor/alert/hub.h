// The fan-out: alerts go in once and every subscriber reads them at its own pace.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "sensor/alert/cursor.h"
#include "sensor/alert/journal.h"
#include "sensor/alert/position.h"

namespace kvmsentry {

// Thread safe. Subscribers never block each other nor who publishes: they read the journal by
// position, and the hub only tells that there is something new.
class Hub {
 public:
  explicit Hub(std::unique_ptr<Journal> journal);

  // Keeps ALERT in the journal and wakes who waits. Fails only as the journal does.
  absl::StatusOr<Position> Publish(JournaledAlert alert);

  // A cursor that starts after SINCE, or at the oldest kept where it is absent. The hub outlives
  // it.
  Cursor ReadAfter(std::optional<Position> since) const;
  // A cursor that starts after what is written by now.
  Cursor ReadNew() const;

  // Waits until a sequence above SEEN is written, TIMEOUT has passed or STOP is requested. Returns
  // the last sequence that is written.
  uint64_t Wait(uint64_t seen, std::chrono::nanoseconds timeout, std::stop_token stop) const;

  const Journal& journal() const { return *journal_; }

 private:
  const std::unique_ptr<Journal> journal_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any written_;
  uint64_t last_;  // guarded by mutex_
};

}  // namespace kvmsentry
