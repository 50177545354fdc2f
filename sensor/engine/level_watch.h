// Judges a level against a range, absolute or in percent of what the VM was given.
#pragma once

#include <cstdint>
#include <optional>

#include "sensor/engine/norm_limits.h"
#include "sensor/engine/rate_watch.h"

namespace kvmsentry {

// What it deviates from, in the level's own amount; nullopt where GIVEN is needed and unknown (0).
struct LevelBounds {
  std::optional<uint64_t> most;
  std::optional<uint64_t> least;
  uint64_t clear_most = 0;
  uint64_t clear_least = 0;
};
std::optional<LevelBounds> BoundsFor(const NormLimits& limits, uint64_t given);

// kUnknown where what was given is needed and unknown.
Judgement JudgeLevel(const NormLimits& limits, uint64_t value, uint64_t given);

}  // namespace kvmsentry
