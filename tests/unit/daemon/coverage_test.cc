#include "sensor/daemon/coverage.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/daemon/losses.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

VmCounts Counts(uint64_t returns, uint64_t exits, uint64_t entries) {
  VmCounts counts;
  counts.count[KS_METER_USERSPACE_EXIT] = returns;
  counts.count[KS_METER_EXIT] = exits;
  counts.count[KS_METER_ENTRY] = entries;
  return counts;
}

// Every hook ACTIVE, but NAMES.
std::vector<HookCoverage> AllBut(const std::vector<std::string>& names) {
  std::vector<HookCoverage> all;
  for (const Hook& hook : Hooks()) {
    HookCoverage coverage;
    coverage.hook = &hook;
    coverage.coverage = Coverage::kActive;
    for (const std::string& name : names) {
      if (hook.name != name) continue;
      coverage.coverage = Coverage::kUnobservable;
      coverage.reason = "gone";
    }
    all.push_back(coverage);
  }
  return all;
}

Spec SpecOf(FeatureId feature) {
  Spec spec;
  spec.feature = feature;
  return spec;
}

TEST(SilenceWatchTest, IsProvenByManyReturnsWithoutAnExit) {
  SilenceWatch watch;
  watch.Observe(std::vector{Counts(3, 0, 0)});
  EXPECT_EQ(watch.Of("kvm_exit"), "");
  watch.Observe(std::vector{Counts(1000, 0, 0)});
  EXPECT_NE(watch.Of("kvm_exit"), "");
  EXPECT_NE(watch.Of("kvm_entry"), "");
  EXPECT_EQ(watch.Of("kvm_inj_virq"), "");  // a return says nothing of interrupts
  EXPECT_EQ(watch.Of("kvm_pio"), "");
}

TEST(SilenceWatchTest, OfInterruptsIsProvenByManyHaltsThatEnded) {
  SilenceWatch watch;
  VmCounts counts;
  counts.count[KS_METER_HALT] = 1000;
  watch.Observe(std::vector{counts});
  EXPECT_NE(watch.Of("kvm_inj_virq"), "");
  EXPECT_EQ(watch.Of("kvm_exit"), "");
  counts.count[KS_METER_INTERRUPT] = 1;
  watch.Observe(std::vector{counts});
  EXPECT_EQ(watch.Of("kvm_inj_virq"), "");
}

TEST(SilenceWatchTest, IsKeptWhenTheVmsHaveGone) {
  SilenceWatch watch;
  watch.Observe(std::vector{Counts(1000, 0, 0)});
  watch.Observe({});
  EXPECT_NE(watch.Of("kvm_exit"), "");
}

TEST(SilenceWatchTest, EndsForGoodWithTheFirstExit) {
  SilenceWatch watch;
  watch.Observe(std::vector{Counts(1000, 0, 0)});
  watch.Observe(std::vector{Counts(1000, 1, 0)});
  EXPECT_EQ(watch.Of("kvm_exit"), "");
  EXPECT_NE(watch.Of("kvm_entry"), "");
  watch.Observe(std::vector{Counts(5000, 0, 0)});
  EXPECT_EQ(watch.Of("kvm_exit"), "");
}

TEST(ApplySilenceTest, ASilentHookIsUnobservableAndTheOthersStay) {
  SilenceWatch watch;
  watch.Observe(std::vector{Counts(1000, 0, 1)});
  const auto hooks = ApplySilence(AllBut({}), watch);
  EXPECT_EQ(CoverageOf(SpecOf(FeatureId::kExitRate), hooks).coverage, Coverage::kUnobservable);
  EXPECT_EQ(CoverageOf(SpecOf(FeatureId::kEntryRate), hooks).coverage, Coverage::kActive);
}

TEST(CoverageOfTest, FollowsTheFeaturesOwnHook) {
  const auto hooks = AllBut({"kvm_pio"});
  const SpecCoverage pio = CoverageOf(SpecOf(FeatureId::kPioRate), hooks);
  EXPECT_EQ(pio.coverage, Coverage::kUnobservable);
  EXPECT_EQ(pio.reason, "kvm_pio: gone");
  EXPECT_EQ(CoverageOf(SpecOf(FeatureId::kMmioRate), hooks).coverage, Coverage::kActive);
}

TEST(CoverageOfTest, IsDegradedWhereItIsNotCertainWhichVmItIs) {
  const SpecCoverage births = CoverageOf(SpecOf(FeatureId::kPioRate), AllBut({"kvm_track_tsc"}));
  EXPECT_EQ(births.coverage, Coverage::kDegraded);
  EXPECT_THAT(births.reason, HasSubstr("kvm_track_tsc: gone"));
  const SpecCoverage both =
      CoverageOf(SpecOf(FeatureId::kPioRate), AllBut({"kvm_track_tsc", "task_file"}));
  EXPECT_THAT(both.reason, HasSubstr("kvm_track_tsc: gone"));
  EXPECT_THAT(both.reason, HasSubstr("task_file: gone"));
}

TEST(DescribeLossesTest, EveryFieldIsToldUnderItsName) {
  ks_losses losses{};
  losses.ring_full = 1;
  losses.no_vm_slot = 2;
  losses.no_vcpu_slot = 3;
  losses.table_update = 4;
  losses.row_lookup = 5;
  losses.unattributed = 6;
  losses.over_budget = 7;
  losses.no_queue_slot = 8;
  losses.queue_unattributed = 9;
  losses.queue_without_vm = 10;
  static_assert(sizeof(ks_losses) == 10 * sizeof(uint64_t), "a reason is missing in this test");
  uint64_t next = 1;
  for (const LossView& loss : DescribeLosses(losses, {})) {
    if (next > 10) break;
    EXPECT_EQ(loss.count, next++) << loss.reason;
    EXPECT_FALSE(loss.meaning.empty());
  }
}

}  // namespace
}  // namespace kvmsentry
