#include "sensor/engine/level_watch.h"

#include "absl/numeric/int128.h"

namespace kvmsentry {
namespace {

// THOUSANDTHS of a percent of GIVEN; what does not fit is the largest.
uint64_t Share(uint64_t thousandths, uint64_t given, bool up) {
  constexpr uint64_t kWhole = 100'000;
  const absl::uint128 product = absl::uint128(thousandths) * given + (up ? kWhole - 1 : 0);
  const absl::uint128 share = product / kWhole;
  return absl::Uint128High64(share) != 0 ? UINT64_MAX : absl::Uint128Low64(share);
}

}  // namespace

std::optional<LevelBounds> BoundsFor(const NormLimits& limits, uint64_t given) {
  if (!limits.of_given) {
    return LevelBounds{limits.most, limits.least, limits.clear_most, limits.clear_least};
  }
  if (given == 0) return std::nullopt;
  LevelBounds bounds;
  if (limits.most) bounds.most = Share(*limits.most, given, false);
  if (limits.least) bounds.least = Share(*limits.least, given, true);
  bounds.clear_most = Share(limits.clear_most, given, false);
  bounds.clear_least = Share(limits.clear_least, given, true);
  return bounds;
}

Judgement JudgeLevel(const NormLimits& limits, uint64_t value, uint64_t given) {
  const auto bounds = BoundsFor(limits, given);
  // What was given may become unknown while an alert is open.
  if (!bounds) return {.verdict = Verdict::kNormal, .occurrences = value};
  if (bounds->most && value > *bounds->most) {
    return {Verdict::kDeviates, value, Bound::kMost, Excess(value, *bounds->most)};
  }
  if (bounds->least && value < *bounds->least) {
    return {Verdict::kDeviates, value, Bound::kLeast, Excess(*bounds->least, value)};
  }
  const bool back = (!bounds->most || value <= bounds->clear_most) &&
                    (!bounds->least || value >= bounds->clear_least);
  return {.verdict = back ? Verdict::kNormal : Verdict::kBetween, .occurrences = value};
}

}  // namespace kvmsentry
