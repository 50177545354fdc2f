// Numbers and times as alerts write them.
#pragma once

#include <cstdint>
#include <string>

namespace kvmsentry {

// Positive lengths of time: "10ms", "1.5s", "2m5s", "3h12m".
std::string DurationText(int64_t ns);

// OCCURRENCES within WINDOW_NS as a rate: "28,340", "12.5", "0.02".
std::string PerSecond(uint64_t occurrences, int64_t window_ns);

std::string PointsText(int64_t millipoints);  // "42.5"

}  // namespace kvmsentry
