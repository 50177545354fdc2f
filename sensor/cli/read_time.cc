#include "sensor/cli/read_time.h"

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

}  // namespace kvmsentry
