#include "sensor/cli/read_time.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(ReadTime, TakesWhatPeopleType) {
  const absl::Time now = absl::FromUnixSeconds(100'000);
  const absl::TimeZone east = absl::FixedTimeZone(3600);
  const auto read = [&](absl::string_view text) {
    const auto time = ReadTime(text, now, east);
    return time ? absl::ToUnixSeconds(*time) : -1;
  };
  EXPECT_EQ(read("1970-01-02 01:00"), 86'400);
  EXPECT_EQ(read("1970-01-02 01:00:05"), 86'405);
  EXPECT_EQ(read("1970-01-02"), 82'800);
  EXPECT_EQ(read("1970-01-02T00:00:00Z"), 86'400);
  EXPECT_EQ(read("2h"), 92'800);
  EXPECT_EQ(read("1h30m"), 94'600);
  for (const char* wrong : {"", "soon", "-2h", "1970-13-01", "2"})
    EXPECT_EQ(read(wrong), -1) << wrong;
}

TEST(ReadDuration, AsPeopleWriteThem) {
  EXPECT_EQ(ReadDuration("90m"), absl::Minutes(90));
  EXPECT_EQ(ReadDuration("2h30m"), absl::Minutes(150));
  EXPECT_EQ(ReadDuration("3d"), absl::Hours(72));
  EXPECT_EQ(ReadDuration("1w"), absl::Hours(168));
  for (const char* wrong : {"", "2", "-2h", "0d", "-1d", "d", "inf", "9999999999d", "1.5d"}) {
    EXPECT_EQ(ReadDuration(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace kvmsentry
