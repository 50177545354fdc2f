// Equal input gives equal output, whatever the order of arrival within a Tick; late input.
#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto kPio = FeatureNamed("pio.rate");

std::shared_ptr<const SpecLibrary> MixedLibrary() {
  return std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs({
      MaxSpec("storm", kPio, 5'000, kNsPerSecond),
      MaxSpec("storm-long", kPio, 3'000, 10 * kNsPerSecond),
      BurstSpec("burst", kPio, 700, 20 * kNsPerMs),
      MaxSpec("msr", FeatureNamed("msr.rate"), 2'000, kNsPerSecond),
      MinSpec("idle", FeatureNamed("msr.rate"), 300, 2 * kNsPerSecond),
      DenySpec("deny", FeatureNamed("pio.port"), {{0, 20}}, kNsPerSecond),
      AllowSpec("allow", FeatureNamed("msr.written"), {{0, 90}}, 2 * kNsPerSecond),
  }));
}

constexpr KernelTime TimeOf(size_t tick) {
  return {kNsPerSecond + static_cast<int64_t>(tick) * 100 * kNsPerMs};
}

// Random behaviour of some VMs in each Tick.
std::vector<std::vector<Observation>> RandomTicks(uint64_t seed) {
  std::mt19937_64 random(seed);
  constexpr uint64_t kVms = 5;
  uint64_t counts[kVms][2] = {};
  uint64_t serial = 0;
  std::vector<std::vector<Observation>> ticks(200);
  for (size_t tick = 0; tick < ticks.size(); ++tick) {
    for (size_t i = random() % 30; i > 0; --i) {
      Observation o;
      const uint64_t vm = random() % kVms;
      // Some are late, some early.
      const auto offset = static_cast<int64_t>(random() % 140) - 30;
      o.time = TimeOf(tick) + offset * kNsPerMs;
      o.vm = {vm + 1};
      o.serial = ++serial;
      o.lossy = random() % 50 == 0;
      if (random() % 2 == 0) o.detail = random() % 2000;
      const uint64_t which = random() % 8;
      if (which < 5) {
        o.feature = which < 3 ? kPio : FeatureNamed("msr.rate");
        uint64_t& count = counts[vm][which < 3 ? 0 : 1];
        count = random() % 100 == 0 ? 0 : count + random() % (tick % 60 < 30 ? 3000 : 100);
        o.value = count;
      } else if (which < 7) {
        o.kind = ObservationKind::kMember;
        o.feature = which == 5 ? FeatureNamed("pio.port") : FeatureNamed("msr.written");
        o.value = random() % 100;
      } else {
        o.kind = ObservationKind::kCrossed;
        o.feature = kPio;
        o.value = random() % 10'000;
        o.window_ns = static_cast<int64_t>(random() % 2'000) * kNsPerMs;
      }
      ticks[tick].push_back(o);
    }
  }
  return ticks;
}

std::string RunAll(const std::vector<std::vector<Observation>>& ticks, size_t* events = nullptr) {
  Engine engine(MixedLibrary(), EngineOptions());
  std::string output;
  for (uint64_t vm = 1; vm <= 4; ++vm) {  // the fifth is unknown
    engine.UpsertVm(Vm(vm, "vm-" + std::to_string(vm)), {0});
  }
  for (size_t tick = 0; tick < ticks.size(); ++tick) {
    for (const Observation& o : ticks[tick]) engine.Observe(o);
    const KernelTime now = TimeOf(tick);
    if (tick == 120) engine.RemoveVm({2}, now);
    if (tick == 140) engine.UpsertVm(Vm(3, "renamed"), now);
    for (const AlertEvent& event : engine.Tick(now)) {
      output += Whole(event) + "\n";
      if (events != nullptr) ++*events;
    }
  }
  return output + std::to_string(engine.late()) + " late " + std::to_string(engine.unknown_vm());
}

TEST(EngineOrderTest, EqualInputGivesEqualOutput) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto ticks = RandomTicks(seed);
    size_t events = 0;
    const std::string output = RunAll(ticks, &events);
    EXPECT_GT(events, 20U) << "too tame to show anything";
    EXPECT_EQ(RunAll(ticks), output);
  }
}

TEST(EngineOrderTest, TheOrderOfArrivalWithinATickDoesNotShow) {
  std::mt19937_64 random(3);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    auto ticks = RandomTicks(seed);
    const std::string output = RunAll(ticks);
    for (auto& observations : ticks) std::shuffle(observations.begin(), observations.end(), random);
    EXPECT_EQ(RunAll(ticks), output) << seed;
  }
}

// Every alert's steps: OPEN, any UPDATED, CLEARED; in order of time.
TEST(EngineOrderTest, LivesAreWellFormedAndInOrder) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Engine engine(MixedLibrary(), EngineOptions());
    for (uint64_t vm = 1; vm <= 4; ++vm) engine.UpsertVm(Vm(vm, "v" + std::to_string(vm)), {0});
    std::map<std::string, KernelTime> open;
    KernelTime last;
    const auto check = [&](const std::vector<AlertEvent>& events) {
      for (const AlertEvent& event : events) {
        ASSERT_GE(event.at, last);
        last = event.at;
        ASSERT_EQ(open.contains(event.key), event.state != AlertState::kOpen) << Whole(event);
        if (event.state == AlertState::kOpen) open[event.key] = event.opened_at;
        ASSERT_EQ(open[event.key], event.opened_at);
        ASSERT_LE(event.opened_at, event.at);
        if (event.state == AlertState::kCleared) open.erase(event.key);
      }
    };
    const auto ticks = RandomTicks(seed);
    for (size_t tick = 0; tick < ticks.size(); ++tick) {
      for (const Observation& o : ticks[tick]) engine.Observe(o);
      check(engine.Tick(TimeOf(tick)));
    }
    const KernelTime now = TimeOf(ticks.size());
    for (uint64_t vm = 1; vm <= 4; ++vm) engine.RemoveVm({vm}, now);
    check(engine.Tick(now));
    EXPECT_THAT(open, IsEmpty());
  }
}

TEST(EngineOrderTest, AmongAlikeTheSourcesSerialDecides) {
  OneVm vm({DenySpec("deny", FeatureNamed("pio.port"), {{1, 9}}, kNsPerSecond)});
  vm.Member(FeatureNamed("pio.port"), 7, 50);
  vm.Member(FeatureNamed("pio.port"), 3, 50);
  EXPECT_EQ(vm.Tick(100).at(0).evidence.at("members"), "port 0x7, port 0x3");
}

TEST(EngineOrderTest, AnObservationWaitsForItsTick) {
  OneVm vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Crossed(kPio, 5'000, kNsPerSecond, 150);
  EXPECT_THAT(vm.Tick(100), IsEmpty());
  EXPECT_THAT(Brief(vm.Tick(200)), ElementsAre("OPEN storm"));
  EXPECT_EQ(vm.engine().late(), 0U);
}

TEST(EngineOrderTest, WhatComesLateIsTakenAsOfTheLastTick) {
  OneVm vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Tick(1'000);
  vm.Crossed(kPio, 5'000, kNsPerSecond, 400);
  const auto events = vm.Tick(1'100);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN storm"));
  EXPECT_EQ(events[0].at.ns, 1'000 * kNsPerMs);
  EXPECT_EQ(vm.engine().late(), 1U);
}

// Taken at the last Tick's time it would look as if all since had come within 100 ms.
TEST(EngineOrderTest, ALateCountIsNoStorm) {
  OneVm vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Tick(10'000);
  vm.Count(kPio, 0, 2'000);
  EXPECT_THAT(vm.Tick(10'100), IsEmpty());
  vm.Count(kPio, 8'000, 10'200);
  EXPECT_THAT(vm.Tick(10'200), IsEmpty());
}

TEST(EngineOrderTest, ALateCountOlderThanTheLatestIsNoRestart) {
  OneVm vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Flow(kPio, 100, 5'000);
  vm.Count(kPio, vm.count() - 500, 4'500);
  vm.set_count(vm.count() + 1);
  EXPECT_THAT(Brief(vm.Flow(kPio, 100, 5'100)), ElementsAre("OPEN storm"));
}

TEST(EngineOrderTest, TimeNeverGoesBack) {
  OneVm vm({MaxSpec("storm", kPio, 1'000, kNsPerSecond)});
  vm.Tick(1'000);
  EXPECT_THAT(vm.Tick(600), IsEmpty());
  vm.Crossed(kPio, 5'000, kNsPerSecond, 800);
  const auto events = vm.Tick(900);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at.ns, 1'000 * kNsPerMs);
}

}  // namespace
}  // namespace kvmsentry
