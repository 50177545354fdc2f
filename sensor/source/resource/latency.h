// Percentiles of a histogram by powers of two. Pure.
#pragma once

#include <cstdint>
#include <span>

namespace kvmsentry {

// The time, in microseconds, within which PERCENT (1 to 100) of the requests ended that were
// counted between BEFORE and NOW, spread evenly over each power of two; 0 where there were none.
// Bucket N holds 2^N to 2^(N+1) microseconds.
uint64_t LatencyOf(std::span<const uint64_t> before, std::span<const uint64_t> now,
                   uint64_t percent);

// How long those of them that took 16 ms or more, which no disk of flash does, took together at
// least, in microseconds.
uint64_t SlowTimeOf(std::span<const uint64_t> before, std::span<const uint64_t> now);

}  // namespace kvmsentry
