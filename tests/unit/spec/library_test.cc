// Problems of several specs and files: none hides another.
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/unit/spec/spec_text.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LibraryTest, TwoSpecsOfOneIdAreReportedAtTheSecond) {
  EXPECT_THAT(ProblemsOf({{"one", SpecText().text()},
                          {"two", "# another\n" + SpecText().text() + SpecText().text()}}),
              ElementsAre("two:3:3: error: id \"a-spec\" is already used at one:2:3",
                          "two:13:3: error: id \"a-spec\" is already used at one:2:3"));
}

TEST(LibraryTest, ReportsEveryProblemOfEveryFileInOrder) {
  const std::string both = SpecText().With(6, "").With(9, "").text() +
                           SpecText().With(2, "  id: \"b\"").With(5, "  norm { max: -1 }").text();
  EXPECT_THAT(
      ProblemsOf(
          {{"z", SpecText().With(2, "  id: \"c\"").With(6, "  weight: 0").text()}, {"a", both}}),
      ElementsAre(
          "a:1:1: error: look_at is missing: say in one sentence where to look next",
          "a:1:1: error: weight is missing: say how many points a deviation adds to the VM's "
          "score, 1 to 100",
          "a:15:10: error: max is -1; it must be from 0 to 1000000000000",
          "z:6:3: error: weight is 0; it must be from 1 to 100"));
}

TEST(LibraryTest, AFieldThatCannotBeReadHidesNoOther) {
  const std::string text = SpecText()
                               .With(2, "  id: 7")
                               .With(3, "  point: K9")
                               .With(4, "  feature: \"pio.rat\"")
                               .With(5, "  norm { max: lots }")
                               .With(6, "  weight: \"x\" \"y\", severity: 1.5;")
                               .With(7, "  window { second: 1 }")
                               .With(8, "  why: 'unknown escape \\q'")
                               .With(9, "  look_at { }")
                               .text();
  EXPECT_THAT(ProblemsOf(text),
              ElementsAre("2:7: Expected string, got: 7",
                          "3:10: point: no value K9; one of K1, K2, K3, K4, K5, K6, K7, R1, R2, "
                          "R3, R4, R5",
                          "4:3: unknown feature \"pio.rat\"; did you mean \"pio.rate\"?",
                          "5:15: Expected double, got: lots", "6:11: Expected integer, got: \"x\"",
                          "6:30: Expected integer or identifier, got: 1.5",
                          "7:12: window: no field \"second\"; did you mean \"seconds\"?",
                          "8:25: Invalid escape sequence in string literal",
                          "9:3: Expected \":\", found \"{\""));
}

TEST(LibraryTest, ASpecThatCannotBeReadHidesNoOther) {
  const std::string bad = SpecText().With(2, "  id: \"b\"").With(6, "  weight: 0").text();
  EXPECT_THAT(
      ProblemsOf(SpecText().With(5, "  norm { max: 3").text() + bad),
      ElementsAre("1:6: \"{\" is never closed", "16:3: weight is 0; it must be from 1 to 100"));
  EXPECT_THAT(
      ProblemsOf(SpecText().With(5, "  norm { max: 3 } }").text() + bad),
      ElementsAre("10:1: \"}\" closes nothing", "16:3: weight is 0; it must be from 1 to 100"));
  EXPECT_THAT(ProblemsOf(SpecText().With(5, "  norm [ max: 3 }").text() + bad),
              ElementsAre("5:17: \"}\" does not close the \"[\" at 5:8",
                          "16:3: weight is 0; it must be from 1 to 100"));
  EXPECT_THAT(ProblemsOf(SpecText().With(5, "  norm { max: 20,000 }").text() + bad),
              ElementsAre(HasSubstr("5:18: norm: no field \"000\"; one of max, min,"),
                          "5:22: Expected \"{\", found \"}\"",
                          "16:3: weight is 0; it must be from 1 to 100"));
  EXPECT_THAT(ProblemsOf("spce { id: 1 }\n" + bad),
              ElementsAre("1:1: no field \"spce\"; did you mean \"spec\"?",
                          "7:3: weight is 0; it must be from 1 to 100"));
}

TEST(LibraryTest, PlacesAreRightWhereverASpecBegins) {
  const std::string good =
      "spec{id:\"b\" point:K2 feature:\"pio.rate\" norm{max:1} weight:1 "
      "severity:INFO why:\"w\" look_at:\"l\"}";
  ASSERT_THAT(ProblemsOf(good), IsEmpty());
  // Behind another spec in one line, with tabs to the next multiple of 8, and as a list.
  EXPECT_THAT(ProblemsOf(good + "\tspec{id:\"c\"\tweight:0\tpoint:K2 feature:\"pio.rate\" "
                                "norm{max:1} severity:INFO why:\"w\" look_at:\"l\"}"),
              ElementsAre("1:113: weight is 0; it must be from 1 to 100"));
  EXPECT_THAT(ProblemsOf("spec: [{id:\"c\" weight:0 point:K2 feature:\"pio.rate\"\n"
                         "norm{max:1} severity:INFO why:\"w\" look_at:\"l\"}, {id:\"d\" weight:0\n"
                         "point:K2 feature:\"pio.rate\" norm{max:1} severity:INFO why:\"w\"\n"
                         "look_at:\"\"}]"),
              ElementsAre("1:16: weight is 0; it must be from 1 to 100",
                          "2:57: weight is 0; it must be from 1 to 100",
                          "4:1: look_at is empty: say in one sentence where to look next"));
}

TEST(LibraryTest, ALibraryWithoutSpecsWatchesNothingAndSaysSo) {
  EXPECT_THAT(ProblemsOf("# all of it is commented out\n"),
              ElementsAre("1:1: the library holds no spec"));
  EXPECT_THAT(ProblemsOf({{"a", ""}, {"b", SpecText().text()}}), IsEmpty());
}

TEST(LibraryTest, IsEmptyWhereThereIsAProblem) {
  const auto result =
      SpecLibrary::Parse({{"a", SpecText().text()}, {"b", SpecText().With(2, "").text()}});
  EXPECT_EQ(result.problems.size(), 1);
  EXPECT_THAT(result.library.specs(), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
