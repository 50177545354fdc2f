// Numbers and times as alerts write them.
#pragma once

#include <cstdint>
#include <string>

#include "sensor/feature/feature.h"

namespace kvmsentry {

// Positive lengths of time: "10ms", "1.5s", "2m5s", "3h12m".
std::string DurationText(int64_t ns);

// The same in running text: "10 ms", "1.5 s", "2 min 5 s", "3 h 12 min".
std::string SpacedDuration(int64_t ns);

// OCCURRENCES within WINDOW_NS as a rate: "28,340", "12.5", "0.02".
std::string PerSecond(uint64_t occurrences, int64_t window_ns);

// VALUE of a level, in its unit: "950 MiB", "12.5%".
std::string LevelText(const Feature& feature, uint64_t value);

std::string PointsText(int64_t millipoints);  // "42.5"

}  // namespace kvmsentry
