#include "sensor/daemon/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string ProblemOf(absl::string_view text) {
  return std::string(ParseConfig(text).status().message());
}

TEST(ParseConfig, ReadsNamesAndValuesWithTheirLines) {
  const auto entries = ParseConfig(
      "# a comment\n"
      "\n"
      "tick = 200  # another\r\n"
      "node=\"a # \\\"b\\\" \\\\\"\n"
      "  specs = '/etc/k\\m'\n"
      "without-hook = [ \"kvm_pio\",\n"
      "   kvm_msr, # why\n"
      "]\n"
      "last = x");
  ASSERT_TRUE(entries.ok()) << entries.status();
  ASSERT_THAT(*entries, SizeIs(5));
  EXPECT_EQ((*entries)[0].name, "tick");
  EXPECT_EQ((*entries)[0].line, 3);
  EXPECT_THAT((*entries)[0].values, ElementsAre("200"));
  EXPECT_THAT((*entries)[1].values, ElementsAre("a # \"b\" \\"));
  EXPECT_THAT((*entries)[2].values, ElementsAre("/etc/k\\m"));
  EXPECT_EQ((*entries)[3].line, 6);
  EXPECT_THAT((*entries)[3].values, ElementsAre("kvm_pio", "kvm_msr"));
  EXPECT_EQ((*entries)[4].line, 9);
  EXPECT_THAT((*entries)[4].values, ElementsAre("x"));
}

TEST(ParseConfig, NothingIsNoEntry) {
  EXPECT_THAT(*ParseConfig(""), IsEmpty());
  EXPECT_THAT(*ParseConfig("\n # only this"), IsEmpty());
}

TEST(ParseConfig, SaysWhatIsWrongAndOnWhichLine) {
  EXPECT_EQ(ProblemOf("\ntick"), "2: 'tick' has no value; write NAME = VALUE");
  EXPECT_EQ(ProblemOf("= 4"), "1: '' has no value; write NAME = VALUE");
  EXPECT_EQ(ProblemOf("tick ="), "1: a value is missing; write \"\" for an empty text");
  EXPECT_EQ(ProblemOf("[daemon]\ntick = 1"), "1: sections are not supported; write NAME = VALUE");
  EXPECT_EQ(ProblemOf("node = \"a"), "1: a quoted text does not end");
  EXPECT_EQ(ProblemOf("node = \"a\" b"), "1: unexpected text after the value of 'node'");
  EXPECT_EQ(ProblemOf("node = \"\\n\""),
            "1: only \\\" and \\\\ may follow a backslash; use '...' for other texts");
  EXPECT_EQ(ProblemOf("h = [ a\n b ]"), "2: a comma is missing between two values of a list");
  EXPECT_EQ(ProblemOf("h = [ a,\n b"), "2: a list does not end; close it with ]");
  EXPECT_EQ(ProblemOf("h = [ \"a\" \"b\" ]"), "1: a comma is missing between two values of a list");
  EXPECT_EQ(ProblemOf("tick = 1\n\ntick = 2"), "3: 'tick' is set on line 1 already; set it once");
  EXPECT_EQ(ProblemOf(absl::string_view("a = 1\n\0", 7)), "1: holds a NUL byte; it is no text");
}

}  // namespace
}  // namespace kvmsentry
