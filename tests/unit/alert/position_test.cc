#include "sensor/alert/position.h"

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(Position, IsReadAsItIsWritten) {
  const Position largest{UINT64_MAX, UINT64_MAX};
  EXPECT_EQ(ToString(Position{7, 42}), "7:42");
  EXPECT_EQ(ParsePosition("7:42"), (Position{7, 42}));
  EXPECT_EQ(ParsePosition("7:0"), (Position{7, 0}));
  EXPECT_EQ(ParsePosition(ToString(largest)), largest);
}

TEST(Position, NothingElseIsRead) {
  for (const char* text : {"", ":", "7", "7:", ":42", "0:42", "7:42 ", " 7:42", "+7:42", "-7:42",
                           "7:4:2", "0x7:42", "7:18446744073709551616"}) {
    EXPECT_EQ(ParsePosition(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace kvmsentry
