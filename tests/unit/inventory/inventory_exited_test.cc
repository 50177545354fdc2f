// VMs that have ended while processes of them live on.
#include "tests/unit/inventory/inventory_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ExitedTest : public InventoryTest {
 protected:
  // A VM of the process 100, which has a child.
  void SetUp() override {
    processes_.Add(100, "web");
    rows_ = {Row(kA, 1, 100)};
    live_on_ = {1};
    CountIs(1);
    Walked({VmFile(kA, 100, 100)}, At(12));
  }
  // As a caller does who hears of it.
  InventoryChanges Ends(KernelTime now) {
    CountIs(0);
    const InventoryChanges changes = Walked({}, now);
    if (!changes.exited.empty()) rows_[0].state = KS_VM_DEAD;
    return changes;
  }
};

TEST_F(ExitedTest, AVmIsKeptWhileAProcessOfItLives) {
  const InventoryChanges changes = Ends(At(13));
  VmEntry exited = Entry(1, 0, "web", 100);
  exited.exited = true;
  EXPECT_THAT(changes.exited, ElementsAre(exited));
  EXPECT_THAT(changes.gone, IsEmpty());
  // It is no hidden one, and said once.
  EXPECT_EQ(Walked({}, At(14)), InventoryChanges{});
  EXPECT_EQ(inventory_.hidden(), 0U);
  live_on_.clear();
  EXPECT_THAT(Sync(At(15)).gone, ElementsAre(Gone(1, 0, GoneReason::kClosed)));
  EXPECT_EQ(Walked({}, At(16)), InventoryChanges{});
}

// As where it is started again.
TEST_F(ExitedTest, AnotherMayHaveItsName) {
  Ends(At(13));
  processes_.Add(200, "web");
  rows_.push_back(Row(kB, 2, 200, At(14)));
  EXPECT_EQ(Sync(At(15)).appeared.at(0).facts.name, "web");
  // Whose it is from now on.
  live_on_.clear();
  Sync(At(16));
  processes_.Add(300, "web");
  rows_.push_back(Row(kC, 3, 300, At(17)));
  EXPECT_EQ(Sync(At(18)).appeared.at(0).facts.name, "web#2");
}

// The kernel gives the address of one that is gone to the next.
TEST_F(ExitedTest, AVmAtItsAddressIsAnother) {
  Ends(At(13));
  processes_.Add(200, "db");
  rows_.push_back(Row(kA, 2, 200, At(14)));
  CountIs(1);
  const InventoryChanges changes =
      Walked({VmFile(kA, 200, 200)}, At(16), {{200, Disks(200, {"db.img"})}});
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(2, 1, "db", 200)));
  EXPECT_THAT(changes.gone, IsEmpty());
  EXPECT_THAT(inventory_.DevicesOf(VmId{1}).devices, IsEmpty());
  EXPECT_THAT(inventory_.DevicesOf(VmId{2}).devices, SizeIs(1));
}

TEST_F(ExitedTest, AVmAtItsAddressIsUnwatchedUntilItHasARow) {
  Ends(At(13));
  processes_.Add(200, "db");
  CountIs(1);
  Walked({VmFile(kA, 200, 200)}, At(16));
  EXPECT_THAT(inventory_.unwatched(), ElementsAre(UnwatchedVm{kA, 200, "db", false, {200}}));
}

TEST_F(ExitedTest, OneThatWasReplacedIsKeptToo) {
  rows_[0].state = KS_VM_REPLACED;
  const InventoryChanges changes = Sync(At(13));
  EXPECT_THAT(changes.exited, SizeIs(1));
  EXPECT_THAT(changes.gone, IsEmpty());
}

TEST_F(ExitedTest, OneWhoseRowWasEmptiedIsGone) {
  Ends(At(13));
  rows_[0] = {};
  EXPECT_THAT(Sync(At(14)).gone, ElementsAre(Gone(1, 0, GoneReason::kRowLost)));
}

TEST_F(ExitedTest, OneThatEndsBeforeItAppearedIsToldOfInOneLook) {
  rows_.push_back(Row(kB, 2, 300));
  live_on_.insert(2);
  rows_[1].state = KS_VM_REPLACED;
  processes_.Add(300, "short");
  const InventoryChanges changes = Sync(At(13));
  EXPECT_THAT(changes.appeared, ElementsAre(Entry(2, 1, "short", 300)));
  EXPECT_THAT(changes.exited, SizeIs(1));
}

TEST_F(ExitedTest, TheNewestSixtyFourAreKept) {
  for (uint64_t serial = 2; serial <= 70; ++serial) {
    processes_.Add(static_cast<int32_t>(1000 + serial), "vm");
    rows_.push_back(Row(serial * 0x10000, serial, static_cast<uint32_t>(1000 + serial)));
    live_on_.insert(serial);
  }
  Sync(At(12));
  const InventoryChanges changes = Ends(At(13));
  EXPECT_THAT(changes.exited, SizeIs(64));
  EXPECT_THAT(changes.gone, SizeIs(6));
}

}  // namespace
}  // namespace kvmsentry
