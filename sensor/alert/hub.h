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

  // Hands ALERT to the journal; who waits is woken once it can be read. Fails only as the journal
  // does.
  absl::Status Publish(JournaledAlert alert) { return journal_->Append(std::move(alert)); }

  // A cursor that starts after SINCE, or at the oldest kept where it is absent. The hub outlives
  // it.
  Cursor ReadAfter(std::optional<Position> since) const;
  // A cursor that starts after what can be read by now.
  Cursor ReadNew() const;

  // Waits until something after SEEN can be read, TIMEOUT has passed or STOP is requested. Returns
  // the last position that can be read.
  Position Wait(Position seen, std::chrono::nanoseconds timeout, std::stop_token stop) const;

  const Journal& journal() const { return *journal_; }
  Journal& journal() { return *journal_; }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable_any written_;
  Position last_;  // guarded by mutex_
  // The last, so that it goes first: its thread uses the above.
  const std::unique_ptr<Journal> journal_;
};

}  // namespace kvmsentry
