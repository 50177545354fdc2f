#include "sensor/cli/words.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

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

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace kvmsentry
