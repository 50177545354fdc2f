#include "sensor/base/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

struct Case {
  std::string pattern, text;
  bool matches;
};

TEST(GlobMatch, MatchesTheWholeText) {
  const Case cases[] = {
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", true},
      {"**", "", true},
      {"?", "", false},
      {"web", "web", true},
      {"web", "web1", false},
      {"web", "aweb", false},
      {"web-*", "web-1", true},
      {"web-*", "web-", true},
      {"web-*", "web", false},
      {"*-1", "web-1", true},
      {"*-1", "web-1-2", false},
      {"*-1", "web-1-1", true},
      {"w?b", "web", true},
      {"w?b", "wb", false},
      {"*a*b*", "xxaxxbxx", true},
      {"*a*b*", "xxbxxaxx", false},
      {"a*b*c", "abcbc", true},
      {"a*bc", "abbbc", true},
      {"a*bc", "abbb", false},
      {"*?", "a", true},
      {"*??", "a", false},
      {"WEB", "web", false},
      {"\\*", "*", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(GlobMatch(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(GlobMatch, BracketsAreOneOfTheirCharacters) {
  const Case cases[] = {
      {"[a]", "a", true},
      {"[a]", "[a]", false},
      {"solo[1-3]", "solo2", true},
      {"solo[1-3]", "solo4", false},
      {"solo[1-3]", "solo", false},
      {"solo[1-3]", "solo[1-3]", false},
      {"solo[!1-3]", "solo4", true},
      {"solo[!1-3]", "solo2", false},
      {"solo[^1-3]", "solo2", false},
      {"[!a]", "", false},
      {"[a-cx]?", "xy", true},
      {"[a-]", "-", true},
      {"[]a]", "]", true},
      {"[!]a]", "]", false},
      {"[a", "[a", true},
      {"[a", "a", false},
      {"*[0-9]", "web-1a2", true},
      {"*[0-9]", "web-1a", false},
      {"*[0-9]x", "1y2x", true},
      {"[\u00e0-\u00ff]", "\u00e4", true},
      {"[\u00e0-\u00ff]", "a", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(GlobMatch(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

TEST(GlobProblem, IsAnOpenBracketOrAnInvertedRange) {
  for (const char* good : {"", "a*?", "[a-z]", "[!a]x[]]", "]"})
    EXPECT_EQ(GlobProblem(good), "") << good;
  EXPECT_EQ(GlobProblem("solo[1-3"), "its '[' is not closed");
  EXPECT_EQ(GlobProblem("[]"), "its '[' is not closed");
  EXPECT_EQ(GlobProblem("[a][3-1]"), "its range in brackets is inverted");
}

TEST(GlobMatch, AQuestionMarkIsOneCharacterAndNotOneByte) {
  EXPECT_TRUE(GlobMatch("b?r", "b\u00e4r"));
  EXPECT_FALSE(GlobMatch("b??r", "b\u00e4r"));
  EXPECT_FALSE(GlobMatch("*??", "\u20ac"));
}

TEST(GlobMatch, TakesBytesThatAreNoUtf8) {
  EXPECT_TRUE(GlobMatch("a*b",
                        "a\xff\x80\xc3"
                        "b"));
  EXPECT_TRUE(GlobMatch("?", "\xff"));
}

TEST(GlobMatch, AnEvilPatternEndsSoon) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatch(pattern + "b", std::string(10'000, 'a')));
}

}  // namespace
}  // namespace kvmsentry
