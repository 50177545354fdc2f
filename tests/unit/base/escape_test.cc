#include "sensor/base/escape.h"

#include <string>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

TEST(Escape, LeavesNothingThatATerminalObeys) {
  EXPECT_EQ(Escape("web-1"), "web-1");
  EXPECT_EQ(Escape("b\u00e4r"), "b\u00e4r");
  EXPECT_EQ(Escape("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(Escape("a\nb\\"), "a\\x0ab\\x5c");
  EXPECT_EQ(Escape("\xff"), "\\xff");
  EXPECT_EQ(Escape("\u202e"), "\\xe2\\x80\\xae");
  EXPECT_EQ(Escape("abcdef", 3), "abc...");
}

TEST(EscapeAgain, ChangesNothingThatIsEscaped) {
  const std::string escaped = Escape("\x1b[2J \\ b\u00e4r \xff");
  EXPECT_EQ(EscapeAgain(escaped), escaped);
  EXPECT_EQ(EscapeAgain(""), "");
  EXPECT_EQ(EscapeAgain("\\"), "\\");
  EXPECT_EQ(EscapeAgain(std::string(1000, 'a')), std::string(1000, 'a'));
}

TEST(EscapeAgain, EscapesWhatIsNot) {
  EXPECT_EQ(EscapeAgain("\\x1b\x1b[2J\n\xff"), "\\x1b\\x1b[2J\\x0a\\xff");
}

}  // namespace
}  // namespace kvmsentry
