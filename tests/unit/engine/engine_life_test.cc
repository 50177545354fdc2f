// An alert's life: updates, VMs that come, change and go, texts that name things.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"
#include "tests/unit/engine/test_specs.h"

namespace kvmsentry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const auto kPio = FeatureNamed("pio.rate");

std::vector<Spec> Storm() { return {MaxSpec("storm", kPio, 1'000, kNsPerSecond)}; }

TEST(EngineLifeTest, DoubledIsWorse) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 1'000);
  EXPECT_THAT(Brief(vm.Flow(kPio, 150, 5'000)), ElementsAre("OPEN storm")) << "1,500/s";
  EXPECT_THAT(vm.Flow(kPio, 200, 10'000), IsEmpty());
  const auto events = vm.Flow(kPio, 300, 20'000);
  ASSERT_THAT(Brief(events), ElementsAre("UPDATED storm"));
  EXPECT_EQ(events[0].opened_at.ns, 1'700 * kNsPerMs);
}

TEST(EngineLifeTest, GoingOnIsSaidAtIntervals) {
  OneVm vm(Storm());
  vm.Flow(kPio, 0, 1'000);
  const auto events = vm.Flow(kPio, 150, 130'000);
  ASSERT_THAT(Brief(events), ElementsAre("OPEN storm", "UPDATED storm", "UPDATED storm"));
  EXPECT_EQ(events[1].at - events[0].at, 60 * kNsPerSecond);
  EXPECT_EQ(events[2].at - events[1].at, 60 * kNsPerSecond);
  EXPECT_EQ(events[2].count, 1'201U);
  EXPECT_EQ(events[2].key, events[0].key);
}

TEST(EngineLifeTest, ItsKeyIsOfTheSpecAndTheUuid) {
  OneVm vm(Storm());
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  EXPECT_EQ(vm.Tick(100).at(0).key, "storm/web-1");
  VmFacts facts = Vm(1, "web-1");
  facts.uuid = "6a1f";
  OneVm other(Storm());
  other.engine().UpsertVm(facts, {0});
  other.Crossed(kPio, 5'000, kNsPerSecond, 50);
  EXPECT_EQ(other.Tick(100).at(0).key, "storm/web-1/6a1f");
}

TEST(EngineLifeTest, ARenamedVmsAlertKeepsItsKey) {
  OneVm vm(Storm());
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  EXPECT_EQ(vm.Tick(100).at(0).key, "storm/web-1");
  vm.engine().UpsertVm(Vm(1, "db-1"), {100});
  const auto events = vm.Flow(kPio, 0, 5'000);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm"));
  EXPECT_EQ(events[0].key, "storm/web-1");
  EXPECT_EQ(events[0].vm.name, "db-1");
}

TEST(EngineLifeTest, AVmThatGoesClearsAndIsForgotten) {
  OneVm vm(Storm());
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  vm.Tick(100);
  vm.engine().RemoveVm({1}, {150 * kNsPerMs});
  const auto events = vm.Tick(200);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm"));
  EXPECT_EQ(events[0].at.ns, 150 * kNsPerMs);
  EXPECT_THAT(events[0].summary, HasSubstr("exited"));
  EXPECT_FALSE(vm.engine().ScoreOf({1}));
  vm.Count(kPio, 1, 250);
  EXPECT_THAT(vm.Tick(300), IsEmpty());
  EXPECT_EQ(vm.engine().unknown_vm(), 1U);
}

TEST(EngineLifeTest, AVmThatDiesOfWhatItDidIsToldWithIt) {
  OneVm vm(Storm());
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  vm.engine().RemoveVm({1}, {60 * kNsPerMs});
  EXPECT_THAT(Brief(vm.Tick(100)), ElementsAre("OPEN storm", "CLEARED storm"));
}

TEST(EngineLifeTest, ItsSuccessorOfTheSameNameOpensAfterItCleared) {
  OneVm vm(Storm());
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  vm.Tick(100);
  vm.engine().RemoveVm({1}, {120 * kNsPerMs});
  vm.engine().UpsertVm(Vm(2, "web-1"), {130 * kNsPerMs});
  Observation o = Seen(ObservationKind::kCrossed, {2}, kPio, 9'000, 150);
  o.window_ns = kNsPerSecond;
  vm.engine().Observe(o);
  const auto events = vm.Tick(200);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm", "OPEN storm"));
  EXPECT_EQ(events[0].key, events[1].key);
  EXPECT_EQ(events[1].vm.id, VmId{2});
}

TEST(EngineLifeTest, ASpecThatNoLongerSelectsItClears) {
  Spec spec = Storm()[0];
  spec.select.vm = {"web-*"};
  OneVm vm({spec});
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  vm.Tick(100);
  vm.engine().UpsertVm(Vm(1, "db-1"), {150 * kNsPerMs});
  const auto events = vm.Tick(200);
  ASSERT_THAT(Brief(events), ElementsAre("CLEARED storm"));
  EXPECT_THAT(events[0].summary, HasSubstr("no longer selected"));
  EXPECT_EQ(vm.engine().ScoreOf({1})->millipoints, 0);
  vm.Crossed(kPio, 5'000, kNsPerSecond, 250);
  EXPECT_THAT(vm.Tick(300), IsEmpty());
  vm.engine().UpsertVm(Vm(1, "web-2"), {350 * kNsPerMs});
  vm.Crossed(kPio, 5'000, kNsPerSecond, 350);
  EXPECT_THAT(Brief(vm.Tick(400)), ElementsAre("OPEN storm"));
}

TEST(EngineLifeTest, ASpecThatSelectsItAgainBeforeTheTickChangesNothing) {
  Spec spec = Storm()[0];
  spec.select.vm = {"web-*"};
  OneVm vm({spec});
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  vm.Tick(100);
  vm.engine().UpsertVm(Vm(1, "db-1"), {150 * kNsPerMs});
  vm.engine().UpsertVm(Vm(1, "web-1"), {160 * kNsPerMs});
  EXPECT_THAT(vm.Tick(200), IsEmpty());
  EXPECT_EQ(vm.engine().ScoreOf({1})->open_alerts, 1U);
}

TEST(EngineLifeTest, OtherSpecsKeepTheirWindowsWhenFactsChange) {
  Spec mine = Storm()[0];
  Spec webs = Storm()[0];
  webs.id = "webs";
  webs.select.vm = {"web-*"};
  OneVm vm({mine, webs});
  vm.Flow(kPio, 90, 5'000);
  vm.engine().UpsertVm(Vm(1, "db-1"), {5'000 * kNsPerMs});
  vm.set_count(vm.count() + 200);
  EXPECT_THAT(Brief(vm.Flow(kPio, 90, 5'100)), ElementsAre("OPEN storm"));
}

TEST(EngineLifeTest, LossMarksWhatIsToldInThatTickOnly) {
  OneVm vm(Storm());
  vm.Crossed(kPio, 5'000, kNsPerSecond, 50);
  vm.Count(kPio, 10, 80, /*lossy=*/true);
  EXPECT_TRUE(vm.Tick(100).at(0).observation_lost);
  vm.Crossed(kPio, 50'000, kNsPerSecond, 150);
  const auto events = vm.Tick(200);
  ASSERT_THAT(Brief(events), ElementsAre("UPDATED storm"));
  EXPECT_FALSE(events[0].observation_lost);
}

}  // namespace
}  // namespace kvmsentry
