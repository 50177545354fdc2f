#include "sensor/engine/score_band.h"

namespace kvmsentry {
namespace {

bool Entered(const Band& band, int64_t score) { return band.from > 0 && score >= band.from; }

bool Held(const Band& band, int64_t score) { return band.from > 0 && score * 5 >= band.from * 4; }

size_t LevelOf(const Bands& bands, size_t held, int64_t score) {
  size_t level = 0;
  for (size_t i = 0; i < bands.size(); ++i) {
    if (Entered(bands[i], score) || (i + 1 <= held && Held(bands[i], score))) level = i + 1;
  }
  return level;
}

}  // namespace

AlertState ScoreBand::Next(const Bands& bands, int64_t score, KernelTime now,
                           int64_t update_every_ns) {
  const size_t before = level_;
  level_ = LevelOf(bands, before, score);
  if (level_ == 0) return before == 0 ? AlertState::kNone : AlertState::kCleared;

  AlertState state = AlertState::kUpdated;
  if (before == 0) {
    state = AlertState::kOpen;
    opened_at_ = now;
    count_ = 0;
  } else if (level_ == before && (update_every_ns <= 0 || now - told_at_ < update_every_ns)) {
    state = AlertState::kNone;
  }
  ++count_;
  if (state != AlertState::kNone) {
    told_ = bands[level_ - 1];
    told_at_ = now;
  }
  return state;
}

}  // namespace kvmsentry
