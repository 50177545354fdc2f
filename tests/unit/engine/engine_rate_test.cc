// Which rates and bursts must alert, each beside look-alikes that must not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto kPio = FeatureNamed("pio.rate");
const auto kEntry = FeatureNamed("entry.rate");

std::vector<Spec> Storm() { return {MaxSpec("storm", kPio, 20'000, kNsPerSecond)}; }
std::vector<Spec> Burst() { return {BurstSpec("burst", kPio, 1000, 10 * kNsPerMs)}; }
std::vector<Spec> Idle() { return {MinSpec("idle", kEntry, 10, kNsPerSecond)}; }

TEST(EngineRateTest, ExactlyTheNormIsNormal) {
  OneVm vm(Storm());
  EXPECT_THAT(vm.Flow(kPio, 2'000, 60'000), IsEmpty());
}

TEST(EngineRateTest, OneMoreThanTheNormInAWindowIsNot) {
  OneVm vm(Storm());
  vm.Flow(kPio, 2'000, 5'000);
  vm.set_count(vm.count() + 1);
  EXPECT_THAT(Brief(vm.Flow(kPio, 2'000, 5'100)), ElementsAre("OPEN storm"));
}

TEST(EngineRateTest, AStormOpensBeforeTheWindowEnds) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 100);
  const auto events = vm.Flow(kPio, 10'000, 400);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN storm"));
  EXPECT_EQ(events[0].at, KernelTime{400 * kNsPerMs}) << "30,000 were counted in 300 ms";
  EXPECT_EQ(events[0].occurrences, 30'000U);
  EXPECT_EQ(events[0].value, 30'000);
  EXPECT_EQ(events[0].limit, 20'000);
}

TEST(EngineRateTest, AShortBurstIsNotExtrapolatedToARate) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 5'000);
  EXPECT_THAT(vm.Flow(kPio, 20'000, 5'100), IsEmpty()) << "200,000/s for 100 ms: 20,000";
  EXPECT_THAT(vm.Flow(kPio, 0, 10'000), IsEmpty());
}

TEST(EngineRateTest, TheFirstSampleOfALongLifeIsNoDeviation) {
  OneVm vm(Storm());
  vm.Count(kPio, 1'000'000'000'000, 100);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
}

TEST(EngineRateTest, ACounterThatGoesBackIsNoDeviation) {
  OneVm vm(Storm());
  vm.Flow(kPio, 100, 5'000);
  vm.set_count(5);
  EXPECT_THAT(vm.Flow(kPio, 100, 10'000), IsEmpty());
  vm.set_count(vm.count() + 20'000);
  EXPECT_THAT(Brief(vm.Flow(kPio, 100, 10'100)), ElementsAre("OPEN storm"));
}

// A gap hides when the occurrences were: 1.5 windows may hold two allowed ones.
TEST(EngineRateTest, AGapOpensOnlyWhatSomeWindowMustHaveHeld) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 5'000);
  EXPECT_THAT(vm.Flow(kPio, 40'000, 6'500, 1'500), IsEmpty());
  OneVm other(Storm());
  other.Flow(kPio, 0, 5'000);
  EXPECT_THAT(Brief(other.Flow(kPio, 40'001, 6'500, 1'500)), ElementsAre("OPEN storm"));
}

TEST(EngineRateTest, ACrossingOpensAtOnce) {
  OneVm vm(Storm());
  vm.Flow(kPio, 10, 5'000);
  vm.Crossed(kPio, 20'001, kNsPerSecond, 5'030);
  const auto events = vm.Tick(5'030);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN storm"));
  EXPECT_EQ(events[0].at.ns, 5'030 * kNsPerMs);
  EXPECT_EQ(events[0].occurrences, 20'001U);
}

TEST(EngineRateTest, ACrossingOpensWhatItProvesAndNothingElse) {
  struct Case {
    uint64_t value;
    int64_t window_ns;
    bool opens;
  };
  constexpr Case kCases[] = {
      {20'001, kNsPerSecond, true},
      {20'001, 10 * kNsPerMs, true},
      {20'000, kNsPerSecond, false},
      {1'001, 10 * kNsPerMs, false},
      {90'000, 2 * kNsPerSecond, false},
      {90'000, 0, false},
      {90'000, -1, false},
  };
  for (const Case& c : kCases) {
    OneVm vm(Storm());
    vm.Crossed(kPio, c.value, c.window_ns, 50);
    EXPECT_EQ(vm.Tick(100).size(), c.opens ? 1U : 0U) << c.value << " in " << c.window_ns;
  }
}

TEST(EngineRateTest, ACrossingIsTheFeaturesAndTheVmsOwn) {
  OneVm vm(Storm());
  vm.engine().UpsertVm(Vm(2, "web-2"), {0});
  vm.Crossed(FeatureNamed("mmio.rate"), 90'000, kNsPerSecond, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
  vm.Crossed(kPio, 90'000, kNsPerSecond, 150);
  const auto events = vm.Tick(200);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].vm.name, "web-1");
}

TEST(EngineRateTest, WhatOpenedByACrossingIsToldByIt) {
  OneVm vm(Storm());
  vm.Flow(kPio, 100, 5'000);
  vm.Crossed(kPio, 20'001, kNsPerSecond, 5'050);
  vm.Count(kPio, vm.count() + 100, 5'100);  // taken first by time, a tame average
  const auto events = vm.Tick(5'100);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN storm"));
  EXPECT_EQ(events[0].value_text, "20,001/s");
}

TEST(EngineRateTest, ClearsOnlyAtADistanceFromTheNorm) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 5'000);
  EXPECT_THAT(Brief(vm.Flow(kPio, 3'000, 10'000)), ElementsAre("OPEN storm"));
  EXPECT_THAT(vm.Flow(kPio, 1'700, 20'000), IsEmpty()) << "17,000/s is normal, but too near";
  const auto events = vm.Flow(kPio, 1'600, 30'000);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm"));
  EXPECT_EQ(events[0].value_text, "16,000/s");
}

TEST(EngineRateTest, ClearsNoSoonerThanAFullWindowIsBack) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 5'000);
  vm.Flow(kPio, 100'000, 8'000);
  const auto events = vm.Flow(kPio, 0, 20'000);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm"));
  EXPECT_GE(events[0].at.ns, 9'000 * kNsPerMs);
  EXPECT_LE(events[0].at.ns, 10'100 * kNsPerMs);
}

TEST(EngineRateTest, AnAlertWithoutCountsStaysOpen) {
  OneVm vm(Storm());
  vm.Crossed(kPio, 90'000, kNsPerSecond, 50);
  EXPECT_THAT(Brief(vm.Tick(100)), ElementsAre("OPEN storm"));
  EXPECT_THAT(vm.Tick(50'000), IsEmpty()) << "missing is not zero";
  EXPECT_THAT(Brief(vm.Flow(kPio, 0, 60'000)), ElementsAre("CLEARED storm"));
}

TEST(EngineRateTest, RestartedCountsDoNotClear) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 1'000);
  EXPECT_EQ(Brief(vm.Flow(kPio, 3'000, 2'000).at(0)), "OPEN storm");
  vm.set_count(0);
  EXPECT_THAT(vm.Flow(kPio, 10, 3'000), IsEmpty()) << "no full window yet";
  EXPECT_THAT(Brief(vm.Flow(kPio, 10, 5'000)), ElementsAre("CLEARED storm"));
}

TEST(EngineRateTest, ALongWindowForgivesAndALongStormDoesNotHide) {
  OneVm vm({MaxSpec("minute", kPio, 100, 60 * kNsPerSecond)});
  EXPECT_THAT(vm.Flow(kPio, 10, 120'000), IsEmpty()) << "exactly the norm";
  EXPECT_THAT(Brief(vm.Flow(kPio, 12, 180'000)), ElementsAre("OPEN minute"));
}

TEST(EngineRateTest, AWindowShorterThanATickIsJudgedByTheTick) {
  OneVm vm({MaxSpec("short", kPio, 1'000, 10 * kNsPerMs)});
  EXPECT_THAT(vm.Flow(kPio, 100, 5'000), IsEmpty()) << "100 in ten windows, 10 in each";
  EXPECT_THAT(Brief(vm.Flow(kPio, 101, 5'200)), ElementsAre("OPEN short"));
  EXPECT_THAT(Brief(vm.Flow(kPio, 50, 8'000)), ElementsAre("CLEARED short"));
}

// ---- bursts

TEST(EngineBurstTest, TheSameCountSpreadOverTimeIsNoBurst) {
  OneVm vm(Burst());
  EXPECT_THAT(vm.Flow(kPio, 10'000, 10'000), IsEmpty()) << "1,000 in each 10 ms";
  EXPECT_THAT(Brief(vm.Flow(kPio, 10'001, 10'100)), ElementsAre("OPEN burst"));
}

TEST(EngineBurstTest, TwoSamplesCloseTogetherShowABurst) {
  OneVm vm(Burst());
  vm.Flow(kPio, 0, 1'000);
  vm.Count(kPio, vm.count() + 1'001, 1'008);
  const auto events = vm.Tick(1'008);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN burst"));
  EXPECT_EQ(events[0].value_text, "1,001 in 10ms");
  EXPECT_EQ(events[0].window_ns, 10 * kNsPerMs);
}

TEST(EngineBurstTest, ARateOverALongerWindowIsNoBurst) {
  OneVm vm(Burst());
  vm.Crossed(kPio, 90'000, kNsPerSecond, 50);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
}

TEST(EngineBurstTest, ClearsAfterAQuietTimeThatOutlastsTheKernelsReports) {
  OneVm vm(Burst());
  vm.Flow(kPio, 0, 1'000);
  vm.Crossed(kPio, 1'001, 10 * kNsPerMs, 1'050);
  EXPECT_THAT(Brief(vm.Flow(kPio, 11, 2'000)), ElementsAre("OPEN burst"));
  vm.Crossed(kPio, 1'001, 10 * kNsPerMs, 2'050);
  EXPECT_THAT(vm.Flow(kPio, 11, 4'000), IsEmpty());
  const auto events = vm.Flow(kPio, 11, 6'000);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED burst"));
  EXPECT_EQ(events[0].at.ns, 4'100 * kNsPerMs);
  EXPECT_EQ(events[0].count, 2U);
}

// ---- minima

TEST(EngineMinTest, OpensWhenAFullWindowHeldTooFew) {
  OneVm vm(Idle());
  vm.Flow(kEntry, 1, 5'000);
  const auto events = vm.Flow(kEntry, 0, 10'000);
  ASSERT_THAT(Brief(events),
              ElementsAre("OPEN idle", "UPDATED idle", "UPDATED idle", "UPDATED idle"))
      << "9, 5, 2 and 1 of 10: each half of what was told before";
  EXPECT_EQ(events[0].limit, 10);
  EXPECT_LE(events[0].at.ns, 5'200 * kNsPerMs);
}

TEST(EngineMinTest, ExactlyTheNormIsNormal) {
  OneVm vm(Idle());
  EXPECT_THAT(vm.Flow(kEntry, 1, 30'000), IsEmpty());
}

TEST(EngineMinTest, NothingOpensBeforeAFullWindowWasSeen) {
  OneVm vm(Idle());
  EXPECT_THAT(vm.Flow(kEntry, 0, 1'000), IsEmpty());
  EXPECT_THAT(Brief(vm.Flow(kEntry, 0, 1'100)), ElementsAre("OPEN idle"));
}

TEST(EngineMinTest, MissingIsNotZero) {
  OneVm vm(Idle());
  vm.Flow(kEntry, 1, 5'000);
  EXPECT_THAT(vm.Tick(60'000), IsEmpty());
}

TEST(EngineMinTest, WhatWasLostIsNotHeldAgainstTheVm) {
  OneVm vm(Idle());
  vm.Flow(kEntry, 1, 5'000);
  vm.Count(kEntry, vm.count(), 6'050, /*lossy=*/true);
  EXPECT_THAT(vm.Tick(6'050), IsEmpty());
  EXPECT_THAT(vm.Flow(kEntry, 1, 20'000), IsEmpty());
}

TEST(EngineMinTest, ClearsAtADistanceAboveTheNorm) {
  OneVm vm(Idle());
  vm.Flow(kEntry, 0, 5'000);
  EXPECT_THAT(vm.Flow(kEntry, 1, 10'000), IsEmpty()) << "10/s: normal, but too near";
  EXPECT_THAT(Brief(vm.Flow(kEntry, 2, 20'000)), ElementsAre("CLEARED idle"));
}

}  // namespace
}  // namespace kvmsentry
