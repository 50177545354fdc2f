#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const auto kPio = FeatureNamed("pio.rate");
const auto kMmio = FeatureNamed("mmio.rate");

std::vector<Spec> Two() {
  Spec pio = MaxSpec("pio", kPio, 1'000, kNsPerSecond);
  Spec mmio = MaxSpec("mmio", kMmio, 1'000, kNsPerSecond);
  pio.weight = 20;
  mmio.weight = 30;
  return {pio, mmio};
}

int64_t Millipoints(OneVm& vm) { return vm.engine().ScoreOf({1})->millipoints; }

TEST(EngineScoreTest, IsTheSumOfWhatDeviates) {
  OneVm vm(Two());
  EXPECT_EQ(Millipoints(vm), 0);
  vm.Crossed(kPio, 1'500, kNsPerSecond, 50);
  vm.Crossed(kMmio, 1'001, kNsPerSecond, 50);
  vm.Tick(100);
  EXPECT_EQ(Millipoints(vm), 20 * 1'500 + 30 * 1'001);
  EXPECT_EQ(vm.engine().ScoreOf({1})->open_alerts, 2U);
  EXPECT_FALSE(vm.engine().ScoreOf({2}));
}

TEST(EngineScoreTest, AnExtremeExcessIsBounded) {
  OneVm vm(Two());
  vm.Crossed(kPio, 1'000'000'000, kNsPerSecond, 50);
  vm.Tick(100);
  EXPECT_EQ(Millipoints(vm), 20 * 4'000);
}

TEST(EngineScoreTest, HoldsWhileOpenAndHalvesAfterwards) {
  OneVm vm(Two());
  vm.Crossed(kPio, 2'000, kNsPerSecond, 50);
  vm.Tick(100);
  vm.Tick(500'000);
  EXPECT_EQ(Millipoints(vm), 40'000);
  const auto events = vm.Flow(kPio, 0, 510'000);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED pio"));
  vm.Tick(events[0].at.ns / kNsPerMs + 60'000);
  EXPECT_EQ(Millipoints(vm), 20'000);
  vm.Tick(events[0].at.ns / kNsPerMs + 60'000 * 20);
  EXPECT_EQ(Millipoints(vm), 0);
}

TEST(EngineScoreTest, CrossingABandIsAnAlertThatNamesWhatContributed) {
  OneVm vm(Two(), EngineOptions());
  vm.Crossed(kPio, 1'100, kNsPerSecond, 50);
  EXPECT_THAT(Brief(vm.Tick(100)), ElementsAre("OPEN pio")) << "22 points";
  vm.Crossed(kMmio, 1'000 + 10, kNsPerSecond, 150);
  const auto events = vm.Tick(200);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN mmio", "OPEN score-band"));
  const AlertEvent& band = events[1];
  EXPECT_EQ(band.severity, Severity::kWarning) << "52.3 points";
  EXPECT_EQ(band.point, Point::kNone);
  EXPECT_EQ(band.key, "score-band/web-1");
  EXPECT_EQ(band.evidence.at("pio"), "22");
  EXPECT_EQ(band.evidence.at("mmio"), "30.3");
  EXPECT_EQ(band.value, 52.3);
  EXPECT_EQ(band.limit, 50);
  EXPECT_EQ(vm.engine().ScoreOf({1})->open_alerts, 3U);
  vm.engine().RemoveVm({1}, {300 * kNsPerMs});
  EXPECT_THAT(Brief(vm.Tick(400)),
              ElementsAre("CLEARED pio", "CLEARED mmio", "CLEARED score-band"));
}

TEST(EngineScoreTest, ABandOutlivesItsAlertsUntilTheScoreHasDecayed) {
  OneVm vm(Two(), EngineOptions());
  vm.Crossed(kPio, 1'300, kNsPerSecond, 50);
  EXPECT_THAT(Brief(vm.Tick(100)), ElementsAre("OPEN pio", "OPEN score-band"));
  EXPECT_THAT(Brief(vm.Flow(kPio, 0, 10'000)), ElementsAre("CLEARED pio"));
  std::vector<AlertEvent> events;
  while (events.empty() && vm.now_ms() < 60'000) events = vm.Tick(vm.now_ms() + 100);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED score-band"));
  // 26 points fall below 20 after 0.38 half-lives.
  EXPECT_NEAR(static_cast<double>(events[0].at.ns) / kNsPerSecond, 1.1 + 23, 1.5);
  EXPECT_EQ(vm.engine().ScoreOf({1})->open_alerts, 0U);
}

}  // namespace
}  // namespace kvmsentry
