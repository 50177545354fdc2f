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

absl::Time ToTime(const google::protobuf::Timestamp& time);
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// In place, and sees all that it should.
inline bool Works(v1::Coverage coverage) {
  return coverage == v1::ACTIVE || coverage == v1::ATTACHED;
}

}  // namespace kvmsentry
