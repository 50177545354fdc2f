#include "sensor/usage/values.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string Refusal(const CLI::Validator& validator, std::string value) { return validator(value); }

TEST(Within, TakesBothBoundsAndNoOther) {
  const CLI::Validator percent = Within(0, 100);
  for (const char* good : {"0", "100", "0.5"}) EXPECT_EQ(Refusal(percent, good), "") << good;
  for (const char* bad : {"-1", "100.1", "x", "", "nan"}) {
    EXPECT_THAT(Refusal(percent, bad), EndsWith("' is no number from 0 to 100")) << bad;
  }
}

TEST(OneOf, WritesItAsItIsNamedAndNamesTheNearest) {
  const CLI::Validator validator = OneOf({"auto", "never"});
  std::string value = "AUTO";
  EXPECT_EQ(validator(value), "");
  EXPECT_EQ(value, "auto");
  EXPECT_EQ(Refusal(validator, "nevr"), "'nevr' is none of auto, never; did you mean 'never'?");
  EXPECT_EQ(Refusal(validator, "completely"), "'completely' is none of auto, never");
}

TEST(OneOf, DoesNotListMany) {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("name-" + std::to_string(i));
  EXPECT_EQ(Refusal(OneOf(names), "nmae-7"),
            "'nmae-7' is none of the 40 that there are; did you mean 'name-7'?");
}

}  // namespace
}  // namespace kvmsentry
