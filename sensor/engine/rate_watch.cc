#include "sensor/engine/rate_watch.h"

#include <algorithm>

namespace kvmsentry {
int64_t Excess(uint64_t a, uint64_t b) {
  constexpr uint64_t kMostTimes = 1'000'000;
  const uint64_t divisor = std::max<uint64_t>(b, 1);
  if (a / divisor >= kMostTimes) return kMostTimes * 1000;
  // The remainder is less than the divisor: in thousandths without overflow.
  const uint64_t remainder = a % divisor;
  const uint64_t thousandths =
      divisor > UINT64_MAX / 1000 ? remainder / (divisor / 1000) : remainder * 1000 / divisor;
  return std::max<int64_t>(1000, static_cast<int64_t>(a / divisor * 1000 + thousandths));
}

namespace {

Judgement TooMany(uint64_t occurrences, uint64_t most) {
  return {Verdict::kDeviates, occurrences, Bound::kMost, Excess(occurrences, most)};
}

Judgement TooFew(uint64_t occurrences, uint64_t least) {
  return {Verdict::kDeviates, occurrences, Bound::kLeast, Excess(least, occurrences)};
}

}  // namespace

Judgement RateWatch::OnCount(const NormLimits& limits, const CountSeen& count, bool open) {
  if (count.lossy) complete_since_ = std::max(complete_since_, count.time);
  if (window_.Add(count.time, count.value) != CountWindow::Added::kAdvanced) return {};

  const uint64_t busiest = window_.Busiest();
  if (limits.most && busiest > *limits.most) {
    deviated_at_ = count.time;
    return TooMany(busiest, *limits.most);
  }
  if (!limits.least && !open) return {};
  // Fewer than a minimum is known only of a whole window: missing is not zero.
  const auto full = window_.LatestFull();
  if (!full) return {};
  if (limits.least && full->quietest < *limits.least && full->since >= complete_since_) {
    deviated_at_ = count.time;
    return TooFew(full->quietest, *limits.least);
  }
  if (!open) return {};
  const bool back = (!limits.most || full->average_ceil <= limits.clear_most) &&
                    (!limits.least || full->average >= limits.clear_least) &&
                    count.time - deviated_at_ >= limits.quiet_ns;
  return {.verdict = back ? Verdict::kNormal : Verdict::kBetween, .occurrences = full->average};
}

Judgement RateWatch::OnCrossed(const NormLimits& limits, const Observation& crossed) {
  const bool within = crossed.window_ns > 0 && crossed.window_ns <= limits.window_ns;
  if (!within || !limits.most || crossed.value <= *limits.most) return {};
  deviated_at_ = std::max(deviated_at_, crossed.time);
  return TooMany(crossed.value, *limits.most);
}

}  // namespace kvmsentry
