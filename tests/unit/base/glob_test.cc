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
      {"[a]", "a", false},
      {"\\*", "*", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(GlobMatch(c.pattern, c.text), c.matches) << c.pattern << " on " << c.text;
  }
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
