#include "sensor/base/wrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;

TEST(CutTo, CutsByCharactersAndEscapesFirst) {
  EXPECT_EQ(CutTo("short", 5), "short");
  EXPECT_EQ(CutTo("longer", 5), "lo...");
  EXPECT_EQ(CutTo("a word", 5), "a...");
  EXPECT_EQ(CutTo("b\u00e4r\u00e4", 4), "b\u00e4r\u00e4");
  EXPECT_EQ(CutTo("b\u00e4r\u00e4s", 4), "b...");
  EXPECT_EQ(CutTo("\x1b[2J", 7), "\\x1b[2J");
  EXPECT_EQ(CutTo("abcdef", 2), "ab");
  EXPECT_EQ(CutTo("whatever", static_cast<size_t>(-1)), "whatever");
}

TEST(WrapTo, BreaksAtBlanksAndCutsTheRest) {
  EXPECT_THAT(WrapTo("", 10, 2), ElementsAre(""));
  EXPECT_THAT(WrapTo("one two three", 8, 3), ElementsAre("one two", "three"));
  EXPECT_THAT(WrapTo("one two three four", 8, 2), ElementsAre("one two", "three..."));
  EXPECT_THAT(WrapTo("unbreakable", 4, 3), ElementsAre("unbr", "eaka", "ble"));
  EXPECT_THAT(WrapTo("one two", static_cast<size_t>(-1), 3), ElementsAre("one two"));
}

}  // namespace
}  // namespace kvmsentry
