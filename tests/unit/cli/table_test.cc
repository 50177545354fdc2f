#include "sensor/cli/table.h"

#include <gtest/gtest.h>

#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

TEST(Table, IsAlignedAndHasNoBlanksAtTheEndsOfLines) {
  Table table({{"NAME"}, {"N", true}, {"REMARK"}});
  table.Add({{"a"}, {"1,000"}, {""}});
  table.Add({{"longer"}, {"2"}, {"why"}});
  EXPECT_EQ(table.Render(Style(false)),
            "NAME        N  REMARK\n"
            "a       1,000\n"
            "longer      2  why\n");
}

TEST(Table, ColorAndEscapingDoNotMoveColumns) {
  Table table({{"A"}, {"B"}});
  table.Add({{"x\x1b[2J", Paint::kRed}, {"1"}});
  table.Add({{"b\u00e4r"}, {"2"}});
  EXPECT_EQ(table.Render(Style(false)),
            "A         B\n"
            "x\\x1b[2J  1\n"
            "b\u00e4r       2\n");
  EXPECT_EQ(table.Render(Style(true)),
            "\x1b[1mA\x1b[0m         \x1b[1mB\x1b[0m\n"
            "\x1b[31mx\\x1b[2J\x1b[0m  1\n"
            "b\u00e4r       2\n");
}

TEST(Words, CountsTakeTheirNoun) {
  EXPECT_EQ(Counted(1, "spec"), "1 spec");
  EXPECT_EQ(Counted(2'000, "spec"), "2,000 specs");
}

TEST(Table, BreaksTheLastColumnWhereItIsTooWide) {
  Table table({{"NAME"}, {"REMARK"}});
  table.Add({{"a"}, {"one two three four five"}});
  table.Add({{"b"}, {"x"}});
  EXPECT_EQ(table.RenderWrapped(Style(false), 24),
            "NAME  REMARK\n"
            "a     one two three four\n"
            "      five\n"
            "b     x\n");
}

TEST(Table, ShrinksTheWidestColumnsThatMay) {
  Table table({{"NAME", false, true}, {"N", true}, {"TEXT", false, true}});
  table.Add({{"a-long-name-indeed"}, {"1234567890123"}, {"short"}});
  EXPECT_EQ(table.RenderFit(Style(false), 34),
            "NAME                      N  TEXT\n"
            "a-long-na...  1234567890123  short\n");
  EXPECT_EQ(table.RenderFit(Style(false), 10),
            "NAME                  N  TEXT\n"
            "a-lon...  1234567890123  short\n")
      << "no less than eight, and never a column that may not shrink";
}

}  // namespace
}  // namespace kvmsentry
