// A spec that is only observed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Pair;

const auto kMmio = FeatureNamed("mmio.rate");

Spec ObservedSpec() {
  Spec spec = MaxSpec("tried", kMmio, 10'000, kNsPerSecond);
  spec.severity = Severity::kCritical;
  spec.weight = 100;
  spec.observe_only = true;
  spec.tags = {"ours"};
  spec.mitre = {"T1499"};
  return spec;
}

TEST(EngineObserveTest, ADeviationIsReportedAndCountsForNothing) {
  // Bands that any point would open.
  OneVm vm({ObservedSpec()}, {.notice_at = 1, .warning_at = 2, .critical_at = 3});
  const auto opened = vm.Flow(kMmio, 2'000, 2'000);
  ASSERT_THAT(Brief(opened), ElementsAre("OPEN tried"));
  EXPECT_TRUE(opened[0].observe_only);
  EXPECT_EQ(opened[0].severity, Severity::kInfo);
  EXPECT_EQ(opened[0].contribution_millipoints, 0);
  EXPECT_EQ(opened[0].score_millipoints, 0);
  EXPECT_THAT(opened[0].summary, EndsWith("; observed only"));
  EXPECT_THAT(opened[0].evidence, Contains(Pair("would_alert_as", "CRITICAL")));
  EXPECT_THAT(opened[0].tags, ElementsAre("ours"));
  EXPECT_THAT(opened[0].mitre, ElementsAre("T1499"));
  EXPECT_EQ(vm.engine().ScoreOf({1})->open_alerts, 0U);
  EXPECT_EQ(vm.engine().ScoreOf({1})->millipoints, 0);
}

// Neither its updates nor its end need anything else to happen on the VM.
TEST(EngineObserveTest, ItsLifeIsThatOfAnyAlert) {
  OneVm vm({ObservedSpec()},
           {.update_every_ns = kNsPerSecond, .notice_at = 0, .warning_at = 0, .critical_at = 0});
  EXPECT_THAT(Brief(vm.Flow(kMmio, 2'000, 1'500)), ElementsAre("OPEN tried"));
  EXPECT_THAT(Brief(vm.Flow(kMmio, 2'000, 3'000)), Contains("UPDATED tried"));
  EXPECT_THAT(Brief(vm.Flow(kMmio, 0, 7'000)), Contains("CLEARED tried"));
}

TEST(EngineObserveTest, OnceItAlertsItCounts) {
  OneVm vm({ObservedSpec()});
  EXPECT_THAT(Brief(vm.Flow(kMmio, 2'000, 2'000)), ElementsAre("OPEN tried"));
  Spec alerting = ObservedSpec();
  alerting.observe_only = false;
  vm.engine().SetLibrary(
      std::make_shared<SpecLibrary>(SpecLibrary::FromSpecs({std::move(alerting)})));
  EXPECT_THAT(Brief(vm.Flow(kMmio, 2'000, 4'000)), ElementsAre("CLEARED tried", "OPEN tried"));
  EXPECT_EQ(vm.engine().ScoreOf({1})->open_alerts, 1U);
  EXPECT_GT(vm.engine().ScoreOf({1})->millipoints, 0);
}

}  // namespace
}  // namespace kvmsentry
