// A place in the stream of alerts, written EPOCH:SEQUENCE.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry {

struct Position {
  uint64_t epoch = 0;     // a new one begins where the journal was lost or not written; never 0
  uint64_t sequence = 0;  // counts the alerts of the epoch from 1, without holes
  friend auto operator<=>(const Position&, const Position&) = default;
};

std::string ToString(Position position);

// Reads what ToString writes; nullopt for anything else, and for epoch 0.
std::optional<Position> ParsePosition(absl::string_view text);

}  // namespace kvmsentry
