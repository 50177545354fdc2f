// Which VMs there are, when they come and go, and what hides.
#include "tests/unit/inventory/inventory_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(InventoryTest, AVmAppearsWithItsCreatorsNameBeforeAnyWalk) {
  processes_.Add(100, "web");
  rows_ = {{}, Row(kA, 1, 100)};
  EXPECT_THAT(Sync(At(11)).appeared, ElementsAre(Entry(1, 1, "web", 100)));
  EXPECT_EQ(Sync(At(12)), InventoryChanges{});
}

TEST_F(InventoryTest, FreeDeadAndUnfinishedRowsAreNoVms) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100), Row(kB, 2, 100), Row(0, 3, 100), Row(kC, 0, 100)};
  rows_[0].state = KS_VM_FREE;
  rows_[1].state = KS_VM_DEAD;
  EXPECT_EQ(Sync(At(11)), InventoryChanges{});
}

TEST_F(InventoryTest, VmsThatWereThereBeforeAreFoundByTheFirstWalk) {
  processes_.Add(100, "old", At(1));
  processes_.Add(200, "older", At(1));
  // The rows were made by the sensor, after the VMs were; one has no row yet.
  rows_ = {Row(kA, 1, 100, At(50))};
  const auto changes = Walked(
      {VmFile(kA, 100, 100), VcpuFile(kA, 100, 100), VmFile(kB, 200, 200), VcpuFile(kB, 200, 200)},
      At(52));
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(1, 0, "old", 100)));
  EXPECT_THAT(inventory_.unwatched(), ElementsAre(UnwatchedVm{kB, 200, "older", true, {200}}));
  rows_.push_back(Row(kB, 2, 200, At(53)));
  EXPECT_THAT(Sync(At(54)).appeared, ElementsAre(Entry(2, 1, "older", 200)));
}

TEST_F(InventoryTest, AVmWithoutVcpusIsUnwatchedAndSaysSo) {
  processes_.Add(100, "probe");
  Walked({VmFile(kA, 100, 100)}, At(11));
  EXPECT_THAT(inventory_.unwatched(), ElementsAre(UnwatchedVm{kA, 100, "probe", false, {100}}));
  Walked({}, At(12));
  EXPECT_THAT(inventory_.unwatched(), IsEmpty());
  EXPECT_EQ(inventory_.unwatched_count(), 0U);
}

TEST_F(InventoryTest, UnwatchedVmsAreAllCountedButNotAllListedNorReadOneByOne) {
  processes_.Add(100, "swarm");
  std::vector<ks_open_file> files;
  for (uint64_t i = 1; i <= 1000; ++i) files.push_back(VmFile(i * 0x1000, 100, 100));
  Walked(files, At(11));
  EXPECT_EQ(inventory_.unwatched_count(), 1000U);
  EXPECT_EQ(inventory_.unwatched().size(), 64U);
  EXPECT_EQ(processes_.reads, 1);
}

TEST_F(InventoryTest, TwoVmsOfOneProcessAreNumberedBySerialWhileTheyLive) {
  processes_.Add(100, "web");
  rows_ = {Row(kB, 2, 100), Row(kA, 1, 100)};
  const std::vector<ks_open_file> both = {VmFile(kA, 100, 100), VmFile(kB, 100, 100)};
  auto changes = Walked(both, At(12));
  ASSERT_EQ(changes.appeared.size(), 2U);
  EXPECT_EQ(changes.appeared[0].facts, Facts(1, "web", 100, "/machine.slice/web"));
  EXPECT_EQ(changes.appeared[1].facts, Facts(2, "web#2", 100, "/machine.slice/web"));
  // The first one's death does not rename the second.
  CountIs(1);
  changes = Walked({VmFile(kB, 100, 100)}, At(13));
  EXPECT_THAT(changes.gone, ElementsAre(Gone(1, 1, GoneReason::kClosed)));
  EXPECT_THAT(changes.changed, IsEmpty());
  rows_[1] = Row(kC, 3, 100, At(14));
  EXPECT_EQ(Sync(At(15)).appeared.at(0).facts.name, "web");
}

TEST_F(InventoryTest, AnotherProcessCannotTakeALivingVmsName) {
  processes_.Add(100, "bank");
  processes_.Add(666, "bank");
  rows_ = {Row(kA, 1, 100)};
  Sync(At(11));
  rows_.push_back(Row(kB, 2, 666));
  EXPECT_EQ(Sync(At(12)).appeared.at(0).facts.name, "bank#2");
}

TEST_F(InventoryTest, AVmGoesOnceNobodyHoldsItAndKvmDoesNotCountIt) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  CountIs(1);
  Walked({VcpuFile(kA, 100, 100)}, At(12));
  CountIs(0);
  EXPECT_THAT(Walked({}, At(13)).gone, ElementsAre(Gone(1, 0, GoneReason::kClosed)));
  // Until its row is marked, it is neither alive nor gone again.
  EXPECT_EQ(Walked({}, At(14)), InventoryChanges{});
  rows_[0].state = KS_VM_DEAD;
  EXPECT_EQ(Walked({}, At(15)), InventoryChanges{});
}

TEST_F(InventoryTest, AWalkSaysNothingOfVmsBornAfterItBegan) {
  processes_.Add(100, "web");
  CountIs(0);
  rows_ = {Row(kA, 1, 100, At(12))};
  EXPECT_THAT(Walked({}, At(13)).gone, IsEmpty());  // began at 12
  EXPECT_THAT(Walked({}, At(14)).gone, ElementsAre(Gone(1, 0, GoneReason::kClosed)));
}

TEST_F(InventoryTest, AVmThatKvmCountsIsHiddenNotGone) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  CountIs(1);
  for (int second = 12; second < 20; ++second) {
    EXPECT_EQ(Walked({}, At(second)).gone, std::vector<VmGone>{});
    EXPECT_EQ(inventory_.hidden(), 1U);
    EXPECT_EQ(inventory_.unknown(), 0U);  // it has a row, and goes on being watched
  }
  // Its descriptor has arrived: it is found again, by whoever holds it now.
  processes_.Add(200, "receiver");
  const auto changes = Walked({VmFile(kA, 200, 100)}, At(20));
  EXPECT_EQ(inventory_.hidden(), 0U);
  EXPECT_THAT(changes.changed, ElementsAre(HandedOn(1, "web", 200, "receiver")));
}

TEST_F(InventoryTest, AVmThatHidesDoesNotKeepTheDeadAlive) {
  for (int pid = 1; pid <= 3; ++pid) processes_.Add(pid, "vm" + std::to_string(pid));
  rows_ = {Row(kA, 5, 1), Row(kB, 2, 2), Row(kC, 3, 3)};
  CountIs(3);
  Walked({VmFile(kB, 2, 2), VmFile(kC, 3, 3)}, At(12));
  EXPECT_EQ(inventory_.hidden(), 1U);
  CountIs(2);
  EXPECT_THAT(Walked({VmFile(kC, 3, 3)}, At(13)).gone,
              ElementsAre(Gone(2, 1, GoneReason::kClosed)));
  CountIs(1);
  EXPECT_THAT(Walked({}, At(14)).gone, ElementsAre(Gone(3, 2, GoneReason::kClosed)));
  EXPECT_EQ(inventory_.hidden(), 1U);
  CountIs(0);
  EXPECT_THAT(Walked({}, At(15)).gone, ElementsAre(Gone(5, 0, GoneReason::kClosed)));
  EXPECT_EQ(inventory_.hidden(), 0U);
}

TEST_F(InventoryTest, AVmThatKvmCountsAndNothingFindsIsUnknown) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  Walked({VmFile(kA, 100, 100)}, At(12));
  EXPECT_EQ(inventory_.unknown(), std::nullopt);  // KVM has told no count yet
  CountIs(3);
  Walked({VmFile(kA, 100, 100)}, At(13));
  EXPECT_EQ(inventory_.unknown(), 0U);  // they may be on their way to their descriptors
  Walked({VmFile(kA, 100, 100)}, At(14));
  EXPECT_EQ(inventory_.unknown(), 2U);
  Walked({}, At(15));
  EXPECT_EQ(inventory_.hidden(), 3U);
  EXPECT_EQ(inventory_.unknown(), 2U);
  inventory_.OnUeventsLost();
  Walked({}, At(16));
  EXPECT_EQ(inventory_.unknown(), std::nullopt);
}

// The count is of the walk's beginning, and those that died since then need not have been found.
TEST_F(InventoryTest, WhatMayHaveDiedDuringTheWalkIsNotUnknown) {
  CountIs(3);
  Walked({}, At(12));
  deaths_in_walk_ = 2;
  Walked({}, At(13));
  EXPECT_EQ(inventory_.unknown(), 1U);
  deaths_in_walk_ = 3;
  CountIs(3);
  Walked({}, At(14));
  EXPECT_EQ(inventory_.hidden(), 3U);
  EXPECT_EQ(inventory_.unknown(), std::nullopt);  // it cannot be told
}

TEST_F(InventoryTest, WithoutACountTwoWalksInARowDecide) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  EXPECT_THAT(Walked({}, At(12)).gone, IsEmpty());
  Walked({VmFile(kA, 100, 100)}, At(13));
  EXPECT_THAT(Walked({}, At(14)).gone, IsEmpty());
  EXPECT_THAT(Walked({}, At(15)).gone, ElementsAre(Gone(1, 0, GoneReason::kClosed)));
  EXPECT_EQ(inventory_.hidden(), 0U);
}

TEST_F(InventoryTest, AfterAnOverrunTheOldCountIsNotTrusted) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  CountIs(1);
  Walked({}, At(12));
  EXPECT_EQ(inventory_.hidden(), 1U);
  inventory_.OnUeventsLost();
  EXPECT_THAT(Walked({}, At(13)).gone, ElementsAre(Gone(1, 0, GoneReason::kClosed)));
}

TEST_F(InventoryTest, AReplacedRowIsGoneWithoutAWalkAndOnce) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100), {}};
  Sync(At(11));
  rows_[0].state = KS_VM_REPLACED;
  rows_[1] = Row(kA, 2, 100, At(12));
  const auto changes = Sync(At(12));
  EXPECT_THAT(changes.gone, ElementsAre(Gone(1, 0, GoneReason::kReplaced)));
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(2, 1, "web", 100)));
  EXPECT_EQ(Sync(At(13)), InventoryChanges{});
}

TEST_F(InventoryTest, AVmReplacedBeforeItAppearedAppearsAndIsGone) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  rows_[0].state = KS_VM_REPLACED;
  const auto changes = Sync(At(11));
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(1, 0, "web", 100)));
  EXPECT_THAT(changes.gone, ElementsAre(Gone(1, 0, GoneReason::kReplaced)));
  EXPECT_EQ(Sync(At(12)), InventoryChanges{});
}

TEST_F(InventoryTest, AVmThatDiedBeforeItAppearedAppearsAndIsGone) {
  processes_.Add(100, "web");
  CountIs(0);
  rows_ = {Row(kA, 1, 100), Row(kB, 2, 999)};
  const auto changes = Walked({}, At(12));
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(1, 0, "web", 100), HasPid(999)));
  EXPECT_THAT(changes.gone,
              ElementsAre(Gone(1, 0, GoneReason::kClosed), Gone(2, 1, GoneReason::kClosed)));
  EXPECT_EQ(Walked({}, At(14)), InventoryChanges{});
}

TEST_F(InventoryTest, ADeadVmThatOnlyNowAppearsIsNotNamedAfterTheOneAtItsAddress) {
  processes_.Add(100, "old");
  processes_.Add(200, "new");
  rows_ = {Row(kA, 1, 100)};
  rows_[0].state = KS_VM_REPLACED;
  const auto changes = Walked({VmFile(kA, 200, 200), VcpuFile(kA, 200, 200)}, At(13));
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(1, 0, "old", 100)));
  EXPECT_THAT(inventory_.unwatched(), ElementsAre(UnwatchedVm{kA, 200, "new", true, {200}}));
}

TEST_F(InventoryTest, OfTwoRowsAliveAtOneAddressTheNewerCounts) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 2, 100), Row(kA, 1, 100)};
  const auto changes = Sync(At(11));
  // The name of the older one is free again.
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(1, 1, "web", 100), Entry(2, 0, "web", 100)));
  EXPECT_THAT(changes.gone, ElementsAre(Gone(1, 1, GoneReason::kReplaced)));
}

TEST_F(InventoryTest, ANewVmAtTheAddressWithoutARowYetIsNotTakenForTheOld) {
  processes_.Add(100, "old");
  processes_.Add(200, "new");
  rows_ = {Row(kA, 1, 100)};
  Walked({VmFile(kA, 100, 100)}, At(12));
  EXPECT_THAT(Walked({VmFile(kA, 200, 200)}, At(13)).gone,
              ElementsAre(Gone(1, 0, GoneReason::kReplaced)));
  EXPECT_THAT(inventory_.unwatched(), ElementsAre(UnwatchedVm{kA, 200, "new", false, {200}}));
}

TEST_F(InventoryTest, AReusedRowIsAnotherVm) {
  processes_.Add(100, "a");
  processes_.Add(200, "b");
  rows_ = {Row(kA, 1, 100)};
  Sync(At(11));
  rows_ = {Row(kB, 2, 200)};
  const auto changes = Sync(At(12));
  EXPECT_THAT(changes.gone, ElementsAre(Gone(1, 0, GoneReason::kRowLost)));
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(2, 0, "b", 200)));
}

TEST_F(InventoryTest, ChangesComeInOrderOfSerial) {
  processes_.Add(100, "web");
  rows_ = {Row(kC, 9, 100), Row(kB, 4, 100), Row(kA, 7, 100)};
  const auto appeared = Sync(At(11)).appeared;
  ASSERT_EQ(appeared.size(), 3U);
  EXPECT_EQ(appeared[0].facts.id.serial, 4U);
  EXPECT_EQ(appeared[2].facts.id.serial, 9U);
  rows_[0].state = rows_[2].state = KS_VM_REPLACED;
  CountIs(0);
  EXPECT_THAT(Walked({}, At(13)).gone,
              ElementsAre(Gone(4, 1, GoneReason::kClosed), Gone(7, 2, GoneReason::kReplaced),
                          Gone(9, 0, GoneReason::kReplaced)));
}

}  // namespace
}  // namespace kvmsentry
