// Where alerts are kept, so that a subscriber that was away can have what it missed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "sensor/alert/position.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/engine/alert_event.h"
#include "sensor/inventory/host.h"

namespace kvmsentry {

// What the engine said, with all that makes it complete without the engine.
struct JournaledAlert {
  Position position;  // given by the journal
  AlertEvent event;
  HostFacts host;
  absl::Time at;         // event.at on the wall clock
  absl::Time opened_at;  // event.opened_at on the wall clock
  // The highest severity of the alert's steps up to this one; given by the journal. What filters by
  // it never cuts an alert's life in two.
  Severity reached = Severity::kNone;
  uint64_t silenced_by = 0;  // the silence that was active at this step; 0: none
  // It was silenced at each of its steps up to this one; given by the journal, for the same reason.
  bool muted = false;
};

using AlertPtr = std::shared_ptr<const JournaledAlert>;

// What is kept of one epoch, without holes. Where nothing is, oldest is last + 1.
struct EpochBounds {
  uint64_t epoch = 0;
  uint64_t oldest = 1;  // the first sequence that is kept
  uint64_t last = 0;    // the last sequence that was written; 0: none yet
  friend bool operator==(const EpochBounds&, const EpochBounds&) = default;
};

// What a journal holds. An epoch ends where positions after it could have been given twice: where
// the journal could not be written, or was lost.
struct JournalBounds {
  std::vector<EpochBounds> epochs;  // ascending; at least one: the last is being written

  Position last() const { return {epochs.back().epoch, epochs.back().last}; }
};

// How a journal fares.
struct JournalState {
  std::string path;       // empty: it is kept in memory only
  std::string problem;    // why it is not written now; empty: it is
  std::string recreated;  // why an earlier file was moved aside; empty: none was
  uint64_t bytes = 0;     // of the alerts on disk
  uint64_t max_bytes = 0;
  uint64_t unwritten = 0;  // alerts that subscribers could get and that never came to the disk
};

// Thread safe: one appends, many read. The oldest alerts go when the journal is full; those that
// are open can be asked for all the same.
class Journal {
 public:
  struct Page {
    JournalBounds bounds;  // at the moment of the reading
    std::vector<AlertPtr> alerts;
  };

  virtual ~Journal() = default;

  // Takes ALERT and never waits for a disk. Readers see it as soon as it is kept; a journal on a
  // disk writes it first. RESOURCE_EXHAUSTED where too many wait to be written.
  virtual absl::Status Append(JournaledAlert alert) = 0;

  // At most MAX alerts after ContinueAt(AFTER, bounds), all of one epoch. May wait for a disk.
  virtual absl::StatusOr<Page> Read(Position after, size_t max) const = 0;

  // At most MAX alerts before BEFORE, the newest first; none: there are no more. May wait for a
  // disk.
  virtual absl::StatusOr<std::vector<AlertPtr>> ReadBefore(Position before, size_t max) const = 0;

  // The latest step of each alert that is open, in the order of their keys.
  virtual std::vector<AlertPtr> Open() const = 0;

  virtual JournalBounds bounds() const = 0;

  // How many alerts were appended, and how many of these readers can see. In this order, both count
  // the same alerts.
  virtual uint64_t appended() const = 0;
  virtual uint64_t visible() const = 0;

  // How many alerts are kept in memory at most.
  virtual size_t capacity() const = 0;

  virtual JournalState state() const = 0;

  // Calls LISTENER, from any thread, whenever readers can see more. Once, before the first Append.
  virtual void OnVisible(std::function<void(Position last)> listener) = 0;

  // Called at every tick: a disk that hangs is given up here.
  virtual void Tend(KernelTime now) = 0;

  // Waits until all that was appended can be seen, LIMIT at most.
  virtual void Flush(std::chrono::nanoseconds limit) = 0;
};

}  // namespace kvmsentry
