// The arithmetic of the score: integers only, so that it is the same to the bit everywhere.
#pragma once

#include <cstdint>

namespace kvmsentry {

// What a deviation earns, in thousandths of a point: WEIGHT points times how many times the limit
// was reached (EXCESS, in thousandths), bounded to 1 and 4 times.
int64_t Earned(int32_t weight, int64_t excess);

// MILLIPOINTS after ELAPSED_NS, half of it every HALF_LIFE_NS, in steps of 1/64 of a half-life;
// nothing where there is no half-life.
int64_t Decayed(int64_t millipoints, int64_t elapsed_ns, int64_t half_life_ns);

}  // namespace kvmsentry
