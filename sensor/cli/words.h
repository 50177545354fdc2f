// Values in words, for people.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "kvmsentry/v1/alert.pb.h"

namespace kvmsentry {

std::string Counted(uint64_t number, absl::string_view noun);  // "1 spec", "2 specs"
std::string ScoreText(double score);                           // "30.5"
std::string ToText(const v1::Position& position);              // "EPOCH:SEQUENCE"
std::string InSeconds(absl::Duration duration);                // "3h2m5s", "0s"
std::string AgeText(absl::Duration age);   // its largest unit alone: "59s", "3h", "12d"
std::string ThreeDigits(double number);    // "0.25", "12.5"
std::string RateText(double per_second);   // "41.7k/s", "0.5/s"
std::string BytesPerSecond(double value);  // "10 kB/s", "3.5 MB/s"

// The time of day; with the date where that is not NOW's.
std::string ShortTime(absl::Time time, absl::Time now, absl::TimeZone zone);

// A glob that matches TEXT alone.
std::string LiteralGlob(absl::string_view text);

absl::Time ToTime(const google::protobuf::Timestamp& time);
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// In place, and sees all that it should.
inline bool Works(v1::Coverage coverage) {
  return coverage == v1::ACTIVE || coverage == v1::ATTACHED;
}

}  // namespace kvmsentry
