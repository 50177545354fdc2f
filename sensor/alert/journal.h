// Where alerts are kept, so that a subscriber that was away can have what it missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "sensor/alert/position.h"
#include "sensor/base/status.h"
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
};

// What a journal holds of its epoch. Where it keeps nothing, oldest is last + 1.
struct JournalBounds {
  uint64_t epoch = 0;
  uint64_t oldest = 1;  // the first sequence that is kept
  uint64_t last = 0;    // the last sequence that was written; 0: none yet
};

// Thread safe: one appends, many read. Sequences count from 1 without holes; the oldest alerts go
// when the journal is full.
class Journal {
 public:
  struct Page {
    JournalBounds bounds;  // at the moment of the reading
    std::vector<std::shared_ptr<const JournaledAlert>> alerts;
  };

  virtual ~Journal() = default;

  // Gives ALERT the next position, keeps it, and returns the position.
  virtual absl::StatusOr<Position> Append(JournaledAlert alert) = 0;

  // At most MAX alerts from sequence NEXT on; from the oldest where NEXT is no longer kept.
  virtual absl::StatusOr<Page> Read(uint64_t next, size_t max) const = 0;

  virtual JournalBounds bounds() const = 0;

  // How many alerts are kept at most.
  virtual size_t capacity() const = 0;
};

}  // namespace kvmsentry
