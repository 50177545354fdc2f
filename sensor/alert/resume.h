// Where a subscriber goes on reading, and what it must be told that it has missed. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "sensor/alert/journal.h"
#include "sensor/alert/position.h"

namespace kvmsentry {

enum class GapReason : uint8_t {
  kNone = 0,
  kEpochChanged,    // the position is of an epoch that is not kept
  kNoLongerKept,    // the position is older than what is kept
  kSlowSubscriber,  // overtaken while reading
  kNotYetWritten,   // the position is ahead of the stream
};

// Alerts that a subscriber should have had and cannot have.
struct Gap {
  Position from;  // the first that is missing; of an unknown epoch: the position asked for
  Position to;    // the last that is missing; sequence 0: none of that epoch
  GapReason reason = GapReason::kNone;
  friend bool operator==(const Gap&, const Gap&) = default;
};

struct Resume {
  Position after;  // read what comes after it
  std::optional<Gap> gap;
  friend bool operator==(const Resume&, const Resume&) = default;
};

// For a subscriber that has everything up to and including SINCE; nullopt: one that wants all that
// is kept. A subscriber may get an alert twice where its position is not of this stream, but never
// misses one untold.
Resume ResumeAfter(std::optional<Position> since, const JournalBounds& bounds);

// For a subscriber of this stream that has read up to and including AFTER. Where it has all of an
// epoch, it goes on with the next.
Resume ContinueAt(Position after, const JournalBounds& bounds);

}  // namespace kvmsentry
