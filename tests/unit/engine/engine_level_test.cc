#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/types_test_vm.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EngineLevelTest, ALevelAboveItsMaxOpensAndClearsWellBelowIt) {
  TypesVm vm({"id: \"full\" feature: \"test.memory\" norm { max: 1000 }"});
  vm.Level("test.memory", 1000, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty()) << "at the norm";
  vm.Level("test.memory", 1001, 150);
  ASSERT_THAT(vm.Tick(200), ElementsAre("OPEN full"));
  EXPECT_EQ(vm.events()[0].summary, "VM \"web-1\": memory in use 1,001 MiB, limit 1,000 MiB");
  EXPECT_EQ(vm.events()[0].value, 1001);
  EXPECT_EQ(vm.events()[0].limit, 1000);
  vm.Level("test.memory", 900, 250);
  EXPECT_THAT(vm.Tick(300), IsEmpty()) << "normal, but not yet clear of the norm";
  vm.Level("test.memory", 800, 3'350);
  ASSERT_THAT(vm.Tick(3'400), ElementsAre("CLEARED full"));
  EXPECT_EQ(
      vm.events()[0].summary,
      "VM \"web-1\": memory in use back to 800 MiB (limit 1,000 MiB); the alert lasted 3.2 s");
}

TEST(EngineLevelTest, ALevelBelowItsMinOpens) {
  TypesVm vm({"id: \"low\" feature: \"test.share\" norm { min: 12.5 }"});
  vm.Level("test.share", 125, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
  vm.Level("test.share", 124, 150);
  ASSERT_THAT(vm.Tick(200), ElementsAre("OPEN low"));
  EXPECT_EQ(vm.events()[0].summary, "VM \"web-1\": time stolen 12.4%, minimum 12.5%");
}

TEST(EngineLevelTest, PercentAreOfWhatTheVmWasGiven) {
  TypesVm vm({"id: \"most\" feature: \"test.memory\" norm { max_percent_of_given: 90 }"});
  vm.Level("test.memory", 4000, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty()) << "what was given is unknown: it is not judged";
  vm.Level("test.memory", 3600, 150, 4000);
  EXPECT_THAT(vm.Tick(200), IsEmpty());
  vm.Level("test.memory", 3601, 250, 4000);
  ASSERT_THAT(vm.Tick(300), ElementsAre("OPEN most"));
  EXPECT_EQ(vm.events()[0].summary,
            "VM \"web-1\": memory in use 3,601 MiB, limit 90% of what was given, given 4,000 MiB");
  vm.Level("test.memory", 3601, 350, 8000);
  EXPECT_THAT(vm.Tick(400), ElementsAre("CLEARED most")) << "it was given more";
}

TEST(EngineLevelTest, WhereWhatWasGivenIsNoLongerKnownAnAlertIsOver) {
  TypesVm vm({"id: \"most\" feature: \"test.memory\" norm { max_percent_of_given: 90 }"});
  vm.Level("test.memory", 3601, 50, 4000);
  ASSERT_THAT(vm.Tick(100), ElementsAre("OPEN most"));
  vm.Level("test.memory", 3601, 150);
  EXPECT_THAT(vm.Tick(200), ElementsAre("CLEARED most"));
}

TEST(EngineLevelTest, ForWaitsUntilItHasLasted) {
  TypesVm vm({"id: \"full\" feature: \"test.memory\" norm { max: 10 } for { seconds: 1 }"});
  for (int64_t at = 100; at < 1'100; at += 100) {
    vm.Level("test.memory", 11, at);
    EXPECT_THAT(vm.Tick(at), IsEmpty()) << at;
  }
  vm.Level("test.memory", 11, 1'100);
  ASSERT_THAT(vm.Tick(1'100), ElementsAre("OPEN full"));
  EXPECT_EQ(vm.events()[0].count, 11U);
}

TEST(EngineLevelTest, ForBeginsAgainWhereItWasNormalInBetween) {
  TypesVm vm({"id: \"full\" feature: \"test.memory\" norm { max: 10 } for { seconds: 1 }"});
  for (int64_t at = 100; at <= 3'000; at += 100) {
    vm.Level("test.memory", at % 1'000 == 0 ? 10 : 11, at);
    EXPECT_THAT(vm.Tick(at), IsEmpty()) << at;
  }
}

TEST(EngineLevelTest, HoldKeepsAnAlertThatFlaps) {
  const std::string spec = "id: \"full\" feature: \"test.memory\" norm { max: 10 }";
  TypesVm held({spec + " hold { seconds: 1 }"});
  TypesVm plain({spec});
  size_t steps = 0;
  for (int64_t at = 100; at <= 2'000; at += 100) {
    held.Level("test.memory", at % 200 == 0 ? 0 : 11, at);
    plain.Level("test.memory", at % 200 == 0 ? 0 : 11, at);
    const auto told = held.Tick(at);
    EXPECT_EQ(told, at == 100 ? std::vector<std::string>{"OPEN full"} : std::vector<std::string>());
    steps += plain.Tick(at).size();
  }
  EXPECT_EQ(steps, 20U) << "the look-alike without hold flaps";
  held.Level("test.memory", 0, 2'100);
  EXPECT_THAT(held.Tick(2'900), IsEmpty());
  EXPECT_THAT(held.Tick(3'000), ElementsAre("CLEARED full"));
}

}  // namespace
}  // namespace kvmsentry
