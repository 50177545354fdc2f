// Whatever is in a file: no crash, no endless work, and never silence.
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr size_t kMebibyte = 1 << 20;

std::string Repeat(const std::string& text, size_t bytes) {
  std::string all;
  while (all.size() + text.size() <= bytes) all += text;
  return all;
}

TEST(UntrustedTest, ATruncatedSpecIsAProblemWhereverItIsCut) {
  const std::string whole = SpecText().text();
  for (size_t size = whole.find('p') + 1; size < whole.find_last_of('}'); ++size) {
    EXPECT_THAT(ProblemsOf(whole.substr(0, size)), Not(IsEmpty())) << whole.substr(0, size);
  }
}

TEST(UntrustedTest, AByteThatIsNoTextIsShownWithItsPlace) {
  const std::string what =
      " is no text: a spec file is UTF-8 without control or formatting characters; nothing of this "
      "file is read";
  const std::string good = SpecText().text();
  EXPECT_THAT(ProblemsOf(std::string("\0", 1) + good), ElementsAre("1:1: byte 0x00" + what));
  EXPECT_THAT(ProblemsOf(good + "\t\x1b[31m"), ElementsAre("11:9: byte 0x1b" + what));
  EXPECT_THAT(ProblemsOf("# \xff\n" + good), ElementsAre("1:3: byte 0xff" + what));
  EXPECT_THAT(ProblemsOf("\n# \xe2\x80\xae\n" + good), ElementsAre("2:3: byte 0xe2" + what));
  EXPECT_THAT(ProblemsOf("# \xc3\x9c\r\n" + good), IsEmpty());
}

TEST(UntrustedTest, RandomBytesAreNeverALibrary) {
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): must be the same each time
  std::uniform_int_distribution<int> byte(0, 255);
  for (int i = 0; i < 200; ++i) {
    std::string text(1 + static_cast<size_t>(i), '\0');
    for (char& c : text) c = static_cast<char>(byte(random));
    EXPECT_THAT(ProblemsOf(text), Not(IsEmpty()));
  }
}

TEST(UntrustedTest, SpecsWithRandomDamageNeverCrash) {
  std::mt19937 random(1);  // NOLINT(bugprone-random-generator-seed): must be the same each time
  const std::string pool = "{}[]<>:,;\"'-#spec\n\t\\0x";
  const std::string whole =
      SpecText().With(5, "norm { allow { port: [\"1\", \"2-3\"] } }").text() + SpecText().text();
  for (int i = 0; i < 3000; ++i) {
    std::string text = whole;
    for (int damage = 0; damage < 4; ++damage) {
      text[random() % text.size()] = pool[random() % pool.size()];
    }
    const auto result = SpecLibrary::Parse({{"f", text}});
    EXPECT_EQ(result.library.specs().empty(), !result.problems.empty()) << text;
  }
}

TEST(UntrustedTest, NestingIsBounded) {
  EXPECT_THAT(ProblemsOf(Repeat("x {", kMebibyte)), ElementsAre("1:51: nested more than 16 deep"));
  EXPECT_THAT(ProblemsOf("x: " + Repeat("[", kMebibyte - 3)),
              ElementsAre("1:20: nested more than 16 deep"));
  EXPECT_THAT(ProblemsOf("x " + Repeat("<", kMebibyte - 2)),
              ElementsAre("1:19: nested more than 16 deep"));
}

TEST(UntrustedTest, LargeFilesTakeTimeInProportion) {
  // One line of many blocks, one block of many fields, many errors, many tokens.
  EXPECT_THAT(ProblemsOf(Repeat("spec{}", 6 * 2000)), SizeIs(2000 * 8));
  EXPECT_THAT(ProblemsOf("spec{" + Repeat("weight:x ", kMebibyte / 2) + "}"), Not(IsEmpty()));
  EXPECT_THAT(ProblemsOf(Repeat("\"\n", kMebibyte / 8)), Not(IsEmpty()));
  EXPECT_THAT(ProblemsOf(Repeat("spec{weight:x ", kMebibyte / 8)), Not(IsEmpty()));
  EXPECT_THAT(ProblemsOf(SpecText()
                             .With(4, "feature: \"pio.port\"")
                             .With(5, "norm { deny { port: [" + Repeat("\"1\",", kMebibyte / 2) +
                                          "\"2\"] } }")
                             .text()),
              IsEmpty());
}

TEST(UntrustedTest, FilesAndSpecsAreBounded) {
  EXPECT_THAT(ProblemsOf(std::string(kMebibyte + 1, ' ')),
              ElementsAre("1:1: the file is larger than 1 MiB; split it into several files"));
  std::vector<SpecSource> sources;
  for (int file = 0; file < 11; ++file) {
    std::string text;
    for (int i = 0; i < (file < 10 ? 1000 : 2); ++i) {
      const std::string name = absl::StrCat("\"s-", file, "-", i, "\"");
      text += SpecText()
                  .With(2, "id: " + name)
                  .With(9, "look_at: \"There.\" select { vm: " + name + " }")
                  .text();
    }
    sources.push_back({absl::StrCat("f", 10 + file), std::move(text)});
  }
  EXPECT_THAT(ProblemsOf(sources),
              ElementsAre("f20:1:1: error: more than 10000 specs in the library; from here on they "
                          "are not checked"));
  sources.pop_back();
  const auto result = SpecLibrary::Parse(sources);
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.library.specs(), SizeIs(10'000));
}

TEST(UntrustedTest, MessagesShowTextEscapedAndCut) {
  EXPECT_THAT(ProblemsOf(SpecText().With(4, "  feature: \"\\033[2J\"").text()),
              ElementsAre("4:3: unknown feature \"\\x1b[2J\"; did you mean \"pio.rate\"?"));
  const auto problems =
      ProblemsOf(SpecText().With(4, "  feature: \"" + std::string(100'000, 'x') + "\"").text());
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_LT(problems[0].size(), 200);
  for (const std::string& text :
       {std::string("point: ") + std::string(100'000, 'x'), std::string(100'000, 'x') + ": 1"}) {
    const auto long_names = ProblemsOf(SpecText().With(3, text).text());
    ASSERT_THAT(long_names, Not(IsEmpty()));
    for (const std::string& problem : long_names) EXPECT_LT(problem.size(), 300);
  }
}

}  // namespace
}  // namespace kvmsentry
