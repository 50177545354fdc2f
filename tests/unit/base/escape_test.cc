#include "sensor/base/escape.h"

#include <string>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

struct Case {
  absl::string_view text;
  absl::string_view escaped;
};

TEST(EscapeTest, PassesWhatIsSafeToShow) {
  for (const absl::string_view text :
       {"", "web-1", "a b ~", "M\u00fcller", "\u65e5\u672c", "\U0001f600"}) {
    EXPECT_EQ(Escape(text), text);
  }
}

TEST(EscapeTest, EscapesWhatCouldDisguiseOrBreakTheOutput) {
  using absl::string_view;
  const Case cases[] = {
      {"a\nb", "a\\x0ab"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {string_view("\0", 1), "\\x00"},
      {"\x7f", "\\x7f"},
      {"\\x41", "\\x5cx41"},                  // the escape itself cannot be forged
      {"\xc2\x9b", "\\xc2\\x9b"},             // C1: an escape sequence in one character
      {"\u202eevil", "\\xe2\\x80\\xaeevil"},  // right-to-left override
      {"\u2066x", "\\xe2\\x81\\xa6x"},
      {"\u200b", "\\xe2\\x80\\x8b"},
      {"\ufeff", "\\xef\\xbb\\xbf"},
  };
  for (const Case& c : cases) EXPECT_EQ(Escape(c.text), c.escaped);
}

TEST(EscapeTest, EscapesWhatIsNoUtf8) {
  const Case cases[] = {
      {"\x80", "\\x80"},           // a tail without a head
      {"\xc3", "\\xc3"},           // a head without a tail
      {"\xc3(", "\\xc3("},         // ... which must not swallow what follows
      {"\xc0\xaf", "\\xc0\\xaf"},  // overlong '/'
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // above the last code point
      {"\xff\xfe", "\\xff\\xfe"},
  };
  for (const Case& c : cases) EXPECT_EQ(Escape(c.text), c.escaped);
}

TEST(EscapeTest, TakesNoMoreThanItMayAndSaysSo) {
  EXPECT_EQ(Escape("abcdef", 6), "abcdef");
  EXPECT_EQ(Escape("abcdefg", 6), "abcdef...");
  EXPECT_EQ(Escape("ab\u00fc", 3), "ab\\xc3...");  // a character that is cut is none
  EXPECT_EQ(Escape("a", 0), "...");
  EXPECT_EQ(Escape(std::string(10000, '\n')).size(), 256 * 4 + 3U);
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
