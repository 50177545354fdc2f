#include "sensor/cli/read_time.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace kvmsentry {

std::optional<absl::Time> ReadTime(absl::string_view text, absl::Time now, absl::TimeZone zone) {
  absl::Time time;
  for (const char* const format :
       {absl::RFC3339_full, "%Y-%m-%d %H:%M:%E*S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    if (absl::ParseTime(format, text, zone, &time, nullptr)) return time;
  }
  absl::Duration ago;
  if (absl::ParseDuration(text, &ago) && ago >= absl::ZeroDuration()) return now - ago;
  return std::nullopt;
}

// Of days and weeks absl knows nothing, for some are longer than others; nobody means that here.
std::optional<absl::Duration> ReadDuration(absl::string_view text) {
  absl::Duration duration;
  int64_t number = 0;
  for (const auto& [unit, hours] : {std::pair("d", 24), {"w", 7 * 24}}) {
    absl::string_view digits = text;
    if (!absl::ConsumeSuffix(&digits, unit) || !absl::SimpleAtoi(digits, &number)) continue;
    constexpr int64_t kMost = 100'000;
    if (number <= 0 || number > kMost) return std::nullopt;
    return absl::Hours(hours) * number;
  }
  const bool read = absl::ParseDuration(text, &duration) && duration > absl::ZeroDuration() &&
                    duration < absl::InfiniteDuration();
  return read ? std::optional(duration) : std::nullopt;
}

}  // namespace kvmsentry
