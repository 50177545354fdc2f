#include "sensor/cli/words.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

#include "sensor/base/thousands.h"

namespace kvmsentry {

std::string Counted(uint64_t number, absl::string_view noun) {
  return absl::StrCat(WithThousands(number), " ", noun, number == 1 ? "" : "s");
}

std::string ScoreText(double score) { return absl::StrFormat("%.1f", score); }

std::string ToText(const v1::Position& position) {
  return absl::StrCat(position.epoch(), ":", position.sequence());
}

std::string InSeconds(absl::Duration duration) {
  return absl::FormatDuration(absl::Trunc(duration, absl::Seconds(1)));
}

std::string AgeText(absl::Duration age) {
  const int64_t seconds = std::max<int64_t>(absl::ToInt64Seconds(age), 0);
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (seconds < kMinute) return absl::StrCat(seconds, "s");
  if (seconds < kHour) return absl::StrCat(seconds / kMinute, "m");
  if (seconds < 2 * kDay) return absl::StrCat(seconds / kHour, "h");
  return absl::StrCat(seconds / kDay, "d");
}

std::string ThreeDigits(double number) { return absl::StrFormat("%.3g", number); }

std::string RateText(double per_second) {
  constexpr double kKilo = 1e3;
  constexpr double kMega = 1e6;
  if (per_second >= kMega) return absl::StrFormat("%.3gM/s", per_second / kMega);
  if (per_second >= kKilo) return absl::StrFormat("%.3gk/s", per_second / kKilo);
  return absl::StrFormat("%.3g/s", per_second);
}

std::string BytesPerSecond(double value) {
  constexpr double kMega = 1e6;
  return value < kMega ? absl::StrFormat("%.0f kB/s", value / 1e3)
                       : absl::StrFormat("%.1f MB/s", value / kMega);
}

std::string ShortTime(absl::Time time, absl::Time now, absl::TimeZone zone) {
  const bool same_day = absl::ToCivilDay(time, zone) == absl::ToCivilDay(now, zone);
  return absl::FormatTime(same_day ? "%H:%M:%S" : "%m-%d %H:%M", time, zone);
}

std::string LiteralGlob(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"[", "[[]"}, {"*", "[*]"}, {"?", "[?]"}});
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace kvmsentry
