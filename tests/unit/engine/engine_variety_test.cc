#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/engine/variety_watch.h"
#include "sensor/feature/member_kind.h"
#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const auto kPort = FeatureNamed("pio.port");

std::vector<Spec> AtMost(uint32_t members) {
  return {VarietySpec("scan", kPort, members, 10 * kNsPerSecond)};
}

TEST(EngineVarietyTest, AsManyAsTheNormAllowsAreSilent) {
  OneVm vm(AtMost(3));
  for (int64_t round = 0; round < 50; ++round) {
    for (uint64_t port = 0; port < 3; ++port) vm.Member(kPort, port, 100 * round + 50);
    EXPECT_THAT(vm.Tick(100 * round + 100), IsEmpty());
  }
}

TEST(EngineVarietyTest, OneMoreWithinTheWindowOpens) {
  OneVm vm(AtMost(3));
  for (uint64_t port = 0; port < 3; ++port) vm.Member(kPort, port, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
  vm.Member(kPort, 0x3f8, 10'040);
  const auto events = vm.Tick(10'050);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN scan"));
  EXPECT_EQ(events[0].at.ns, 10'040 * kNsPerMs);
  EXPECT_EQ(events[0].value, 4);
  EXPECT_EQ(events[0].limit, 3);
  EXPECT_EQ(events[0].value_text, "more than 3");
  EXPECT_EQ(events[0].evidence.at("one_of_them"), "port 0x3f8 (com1)");
  EXPECT_THAT(events[0].summary, HasSubstr("more than 3 different ports within 10s"));
}

TEST(EngineVarietyTest, WhatWasSeenBeforeTheWindowIsForgotten) {
  OneVm vm(AtMost(3));
  for (uint64_t port = 0; port < 100; ++port) {
    const int64_t at = static_cast<int64_t>(port) * 3'500;
    vm.Member(kPort, port, at);
    EXPECT_THAT(vm.Tick(at + 50), IsEmpty()) << port;
  }
}

// The same members again are as many as before.
TEST(EngineVarietyTest, StaysOpenWhileThereAreTooMany) {
  OneVm vm(AtMost(3));
  std::vector<AlertEvent> events;
  for (int64_t at = 100; at <= 30'000; at += 100) {
    for (uint64_t port = 0; port < 4; ++port) vm.Member(kPort, port, at);
    for (AlertEvent& event : vm.Tick(at)) events.push_back(std::move(event));
  }
  EXPECT_THAT(Brief(events), ElementsAre("OPEN scan"));
}

TEST(EngineVarietyTest, OpensOnlyOnceThereWereTooManyForSoLong) {
  std::vector<Spec> specs = AtMost(3);
  specs[0].patience.for_ns = 5 * kNsPerSecond;
  OneVm vm(specs);
  std::vector<AlertEvent> events;
  for (int64_t at = 100; at <= 5'100; at += 100) {
    EXPECT_THAT(events, IsEmpty()) << at;
    for (uint64_t port = 0; port < 4; ++port) vm.Member(kPort, port, at);
    for (AlertEvent& event : vm.Tick(at)) events.push_back(std::move(event));
  }
  EXPECT_THAT(Brief(events), ElementsAre("OPEN scan"));
}

TEST(EngineVarietyTest, WhatIsNotToldApartIsTooMany) {
  OneVm vm(AtMost(3));
  vm.Member(kPort, kUntoldMember, 50);
  const auto events = vm.Tick(100);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN scan"));
  EXPECT_EQ(events[0].evidence.at("one_of_them"), "more than are told apart");
}

// A guest that goes on is one alert, also once all that is remembered is older than the window.
TEST(EngineVarietyTest, AScanIsOneAlertThatClearsAWindowAfterIt) {
  OneVm vm(AtMost(3));
  std::vector<AlertEvent> events;
  uint64_t port = 0;
  for (int64_t at = 100; at <= 30'000; at += 100) {
    for (int i = 0; i < 20; ++i) vm.Member(kPort, port++, at);
    for (AlertEvent& event : vm.Tick(at)) events.push_back(std::move(event));
  }
  EXPECT_THAT(Brief(events), ElementsAre("OPEN scan"));
  EXPECT_THAT(vm.Tick(39'900), IsEmpty());
  const auto cleared = vm.Tick(40'000);
  ASSERT_THAT(Brief(cleared), ElementsAre("CLEARED scan"));
  EXPECT_THAT(cleared[0].summary, HasSubstr("of scan again"));
}

TEST(VarietyWatchTest, TextsAndPairsAreToldApart) {
  VarietyWatch watch;
  const auto add = [&](Member member) { return watch.Add(member, {1}, 2, kNsPerSecond); };
  EXPECT_FALSE(add({.text = "a"}));
  EXPECT_FALSE(add({.text = "b"}));
  EXPECT_FALSE(add({.text = "a", .by = "another"})) << "who brought it is no part of it";
  EXPECT_TRUE(add({.text = "c"}));

  VarietyWatch pairs;
  EXPECT_FALSE(pairs.Add({.first = 1, .second = 2}, {1}, 1, kNsPerSecond));
  EXPECT_TRUE(pairs.Add({.first = 1, .second = 3}, {1}, 1, kNsPerSecond));
}

// Time may stand still or be behind: a late observation forgets nothing that is newer.
TEST(VarietyWatchTest, TakesTimesInAnyOrder) {
  VarietyWatch watch;
  const auto add = [&](uint64_t id, int64_t second) {
    return watch.Add({.first = id}, {second * kNsPerSecond}, 2, 10 * kNsPerSecond);
  };
  EXPECT_FALSE(add(1, 20));
  EXPECT_FALSE(add(2, 15));
  EXPECT_TRUE(add(3, 12));
  EXPECT_TRUE(add(4, 21));
  EXPECT_FALSE(add(5, 29)) << "3 and 2 are older than the window";
}

}  // namespace
}  // namespace kvmsentry
