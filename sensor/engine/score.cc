#include "sensor/engine/score.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace kvmsentry {
namespace {

constexpr int kFractionBits = 32;
constexpr size_t kHalfLifeSteps = 64;         // of a half-life
constexpr uint64_t kOneStep = 4'248'701'965;  // 2^32 * 2^(-1/64), rounded

constexpr std::array<uint64_t, kHalfLifeSteps> MakeDecayTable() {
  std::array<uint64_t, kHalfLifeSteps> table = {};
  table[0] = uint64_t{1} << kFractionBits;
  for (size_t i = 1; i < kHalfLifeSteps; ++i) {
    constexpr uint64_t kHalf = uint64_t{1} << (kFractionBits - 1);
    table[i] = (table[i - 1] * kOneStep + kHalf) >> kFractionBits;
  }
  return table;
}

constexpr auto kDecayTable = MakeDecayTable();

}  // namespace

int64_t Earned(int32_t weight, int64_t excess) {
  return int64_t{weight} * std::clamp<int64_t>(excess, 1000, 4000);
}

int64_t Decayed(int64_t millipoints, int64_t elapsed_ns, int64_t half_life_ns) {
  if (millipoints <= 0 || half_life_ns <= 0) return 0;
  if (elapsed_ns <= 0) return millipoints;
  const int64_t halves = elapsed_ns / half_life_ns;
  if (halves >= kFractionBits) return 0;
  // A step is no shorter than 1 ns.
  const int64_t step_ns = std::max<int64_t>(half_life_ns / static_cast<int64_t>(kHalfLifeSteps), 1);
  const auto step =
      std::min(static_cast<size_t>(elapsed_ns % half_life_ns / step_ns), kHalfLifeSteps - 1);
  const auto left = (static_cast<uint64_t>(millipoints) * kDecayTable[step]) >> kFractionBits;
  return static_cast<int64_t>(left >> halves);
}

}  // namespace kvmsentry
