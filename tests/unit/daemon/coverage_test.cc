#include "sensor/daemon/coverage.h"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/daemon/losses.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/registry.h"

namespace kvmsentry {
namespace {

using ::testing::HasSubstr;

KvmCounts Counts(uint64_t returns, uint64_t exits, uint64_t entries) {
  KvmCounts counts;
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

KvmCounts HaltsAndInterrupts(uint64_t halts, uint64_t interrupts) {
  KvmCounts counts;
  counts.count[KS_METER_HALT] = halts;
  counts.count[KS_METER_INTERRUPT] = interrupts;
  return counts;
}

TEST(SilenceWatchTest, IsProvenByManyReturnsWithoutAnExit) {
  SilenceWatch watch;
  watch.Observe(std::vector{Counts(3, 0, 0)});
  EXPECT_EQ(watch.Of("kvm_exit"), Coverage::kActive);
  watch.Observe(std::vector{Counts(1000, 0, 0)});
  EXPECT_EQ(watch.Of("kvm_exit"), Coverage::kUnobservable);
  EXPECT_EQ(watch.Of("kvm_entry"), Coverage::kUnobservable);
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kActive);  // a return says nothing of interrupts
  EXPECT_EQ(watch.Of("kvm_pio"), Coverage::kActive);
}

TEST(SilenceWatchTest, OfInterruptsIsProvenByManyHaltsThatEnded) {
  SilenceWatch watch;
  watch.Observe(std::vector{HaltsAndInterrupts(1000, 0)});
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kUnobservable);
  EXPECT_EQ(watch.Of("kvm_exit"), Coverage::kActive);
}

// With APICv the firmware's interrupts, by the old PIC, still are injected.
TEST(SilenceWatchTest, AFewThatWereHeardDoNotMakeItHearing) {
  SilenceWatch watch;
  watch.Observe(std::vector{HaltsAndInterrupts(10, 90)});
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kActive);
  watch.Observe(std::vector{HaltsAndInterrupts(10'000, 90)});
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kUnobservable);
  watch.Observe(std::vector{HaltsAndInterrupts(10'000, 9'000)});
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kActive);
}

TEST(SilenceWatchTest, OfSomeVmsDegrades) {
  SilenceWatch watch;
  watch.Observe(std::vector{HaltsAndInterrupts(1000, 0), HaltsAndInterrupts(1000, 1000)});
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kDegraded);
  const auto hooks = ApplySilence(AllBut({}), watch);
  const auto coverage = CoverageOf(SpecOf(FeatureNamed("interrupt.rate")), hooks);
  EXPECT_EQ(coverage.coverage, Coverage::kDegraded);
  EXPECT_THAT(coverage.reason, HasSubstr("with some VMs"));
}

TEST(SilenceWatchTest, IsKeptWhenTheVmsHaveGone) {
  SilenceWatch watch;
  watch.Observe(std::vector{Counts(1000, 0, 0)});
  watch.Observe(std::vector{Counts(5, 0, 0)});
  watch.Observe({});
  EXPECT_EQ(watch.Of("kvm_exit"), Coverage::kUnobservable);
}

TEST(ApplySilenceTest, ASilentHookIsUnobservableAndTheOthersStay) {
  SilenceWatch watch;
  watch.Observe(std::vector{Counts(1000, 0, 1000)});
  const auto hooks = ApplySilence(AllBut({}), watch);
  EXPECT_EQ(CoverageOf(SpecOf(FeatureNamed("exit.rate")), hooks).coverage, Coverage::kUnobservable);
  EXPECT_EQ(CoverageOf(SpecOf(FeatureNamed("entry.rate")), hooks).coverage, Coverage::kActive);
}

TEST(CoverageOfTest, OfSeveralHooksSomeOfWhichAreGoneIsDegraded) {
  const Feature& turns = FeatureOf(FeatureNamed("vhost.run.rate"));
  EXPECT_EQ(CoverageOf(turns, AllBut({})).coverage, Coverage::kActive);
  const FeatureCoverage some = CoverageOf(turns, AllBut({"handle_tx", "handle_rx"}));
  EXPECT_EQ(some.coverage, Coverage::kDegraded);
  EXPECT_EQ(some.reason, "handle_tx: gone; handle_rx: gone");
  const std::vector<std::string> all(turns.hooks.begin(), turns.hooks.end());
  EXPECT_EQ(CoverageOf(turns, AllBut(all)).coverage, Coverage::kUnobservable);
}

TEST(CoverageOfTest, IsActiveOnceOneOfItsHooksHasFired) {
  const Feature& turns = FeatureOf(FeatureNamed("vhost.run.rate"));
  std::vector<HookCoverage> hooks = AllBut({});
  for (HookCoverage& hook : hooks) hook.coverage = Coverage::kAttached;
  EXPECT_EQ(CoverageOf(turns, hooks).coverage, Coverage::kAttached);
  EXPECT_EQ(CoverageOf(turns, hooks).reason, "");
  std::ranges::find(hooks, "handle_rx", [](const HookCoverage& h) {
    return h.hook->name;
  })->coverage = Coverage::kActive;
  EXPECT_EQ(CoverageOf(turns, hooks).coverage, Coverage::kActive);
}

TEST(CoverageOfTest, FollowsTheFeaturesOwnHook) {
  const auto hooks = AllBut({"kvm_pio"});
  const FeatureCoverage pio = CoverageOf(SpecOf(FeatureNamed("pio.rate")), hooks);
  EXPECT_EQ(pio.coverage, Coverage::kUnobservable);
  EXPECT_EQ(pio.reason, "kvm_pio: gone");
  EXPECT_EQ(CoverageOf(SpecOf(FeatureNamed("mmio.rate")), hooks).coverage, Coverage::kActive);
}

TEST(CoverageOfTest, IsDegradedWhereItIsNotCertainWhichVmItIs) {
  const FeatureCoverage births =
      CoverageOf(SpecOf(FeatureNamed("pio.rate")), AllBut({"kvm_track_tsc"}));
  EXPECT_EQ(births.coverage, Coverage::kDegraded);
  EXPECT_THAT(births.reason, HasSubstr("kvm_track_tsc: gone"));
  const FeatureCoverage both =
      CoverageOf(SpecOf(FeatureNamed("pio.rate")), AllBut({"kvm_track_tsc", "task_file"}));
  EXPECT_THAT(both.reason, HasSubstr("kvm_track_tsc: gone"));
  EXPECT_THAT(both.reason, HasSubstr("task_file: gone"));
}

// While a hook was off, what it does not tell went on.
TEST(SilenceWatchTest, WhatWentOnBeforeAHookWasAttachedProvesNothing) {
  SilenceWatch watch;
  std::vector<KvmCounts> counts(1);
  counts[0].vm = VmId{1};
  counts[0].count[KS_METER_HALT] = 100000;
  counts[0].count[KS_METER_INTERRUPT] = 10;
  watch.Begin(counts);
  counts[0].count[KS_METER_HALT] += 1000;
  counts[0].count[KS_METER_INTERRUPT] += 1000;
  watch.Observe(counts);
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kActive);
  counts[0].count[KS_METER_HALT] += 100000;
  watch.Observe(counts);
  EXPECT_EQ(watch.Of("kvm_inj_virq"), Coverage::kUnobservable);
}

// Each source counts its own full ring.
TEST(AddLossTest, AReasonOfSeveralSourcesIsToldOnce) {
  std::vector<LossView> losses;
  AddLoss({"ring_full", "meaning", 2, true}, &losses);
  AddLoss({"other", "else", 1, false}, &losses);
  AddLoss({"ring_full", "meaning", 3, true}, &losses);
  ASSERT_EQ(losses.size(), 2U);
  EXPECT_EQ(losses[0].reason, "ring_full");
  EXPECT_EQ(losses[0].count, 5U);
  EXPECT_EQ(losses[1].count, 1U);
}

Coverage CoverageIn(const std::vector<HookCoverage>& hooks, absl::string_view name) {
  return std::ranges::find_if(hooks, [name](const auto& h) { return h.hook->name == name; })
      ->coverage;
}

TEST(ApplySightsTest, AHookThatIsAFileWorksAsFarAsVmsHaveIt) {
  const std::vector<FileSight> sights = {{"cpu.pressure", true, ""},
                                         {"memory.pressure", true, "VM a: no cgroup"},
                                         {"io.pressure", false, "VM a: no cgroup"}};
  std::vector<HookCoverage> hooks = AllBut({});
  for (HookCoverage& hook : hooks) hook.coverage = Coverage::kAttached;
  const auto seen = ApplySights(hooks, sights);
  EXPECT_EQ(CoverageIn(seen, "cpu.pressure"), Coverage::kActive);
  EXPECT_EQ(CoverageIn(seen, "memory.pressure"), Coverage::kDegraded);
  EXPECT_EQ(CoverageIn(seen, "io.pressure"), Coverage::kUnobservable);
  EXPECT_EQ(CoverageIn(seen, "memory.stat"), Coverage::kAttached);
}

TEST(ApplySightsTest, AFileThatTheHostLacksStaysSo) {
  const std::vector<FileSight> sights = {{"cpu.pressure", false, "VM a: no cgroup"}};
  const auto seen = ApplySights(AllBut({"cpu.pressure"}), sights);
  EXPECT_EQ(CoverageIn(seen, "cpu.pressure"), Coverage::kUnobservable);
  const auto hook =
      std::ranges::find_if(seen, [](const auto& h) { return h.hook->name == "cpu.pressure"; });
  EXPECT_EQ(hook->reason, "gone");
}

}  // namespace
}  // namespace kvmsentry
