// Whose a VM is, and what it is called.
#include "tests/unit/inventory/inventory_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;

TEST_F(InventoryTest, TheCreatorIsPreferredAmongTheHolders) {
  processes_.Add(50, "helper");
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  EXPECT_THAT(Walked({VmFile(kA, 50, 100), VmFile(kA, 100, 100)}, At(12)).appeared,
              ElementsAre(Entry(1, 0, "web", 100)));
}

TEST_F(InventoryTest, WhenTheCreatorHoldsItNoMoreTheFirstHolderIsItsProcess) {
  processes_.Add(100, "launcher");
  processes_.Add(300, "worker");
  processes_.Add(400, "other");
  rows_ = {Row(kA, 1, 100)};
  EXPECT_THAT(Sync(At(11)).appeared, ElementsAre(Entry(1, 0, "launcher", 100)));
  EXPECT_THAT(Walked({VmFile(kA, 400, 100), VmFile(kA, 300, 100)}, At(12)).changed,
              ElementsAre(HandedOn(1, "launcher", 300, "worker")))
      << "a VM is not renamed by handing its files on";
}

TEST_F(InventoryTest, AVmWithoutANameGetsThatOfWhoHoldsItThen) {
  rows_ = {Row(kA, 1, 100)};
  EXPECT_EQ(Sync(At(11)).appeared.at(0).facts.name, "vm-100");
  processes_.Add(300, "worker");
  EXPECT_THAT(Walked({VmFile(kA, 300, 100)}, At(12)).changed,
              ElementsAre(Entry(1, 0, "worker", 300)));
}

TEST_F(InventoryTest, BetweenWalksAVmKeepsTheProcessThatTheLastOneFound) {
  processes_.Add(100, "launcher");
  processes_.Add(300, "worker");
  rows_ = {Row(kA, 1, 100)};
  Walked({VmFile(kA, 300, 100)}, At(12));
  EXPECT_EQ(Sync(At(30)), InventoryChanges{});
}

TEST_F(InventoryTest, ACreatorThatIsAThreadLeadsToItsProcess) {
  processes_.Add(50, "helper");
  ProcessFacts process = processes_.Add(100, "web");
  process.start = At(5);
  processes_.processes[107] = process;  // as /proc/107 shows the thread of 100
  rows_ = {Row(kA, 1, 107)};
  EXPECT_THAT(Walked({VmFile(kA, 50, 107), VmFile(kA, 100, 107)}, At(12)).appeared,
              ElementsAre(Entry(1, 0, "web", 100)));
}

TEST_F(InventoryTest, AProcessYoungerThanTheVmIsNotItsCreator) {
  processes_.Add(100, "stranger", At(20));
  rows_ = {Row(kA, 1, 100, At(10))};
  const auto appeared = Sync(At(21)).appeared;
  ASSERT_EQ(appeared.size(), 1U);
  EXPECT_EQ(appeared[0].facts, (VmFacts{{1}, "vm-100", "", "unknown", "/", 0, 100, "vm-100"}));
}

TEST_F(InventoryTest, AVmWithoutAReadableProcessIsNamedOnceThereIsOne) {
  rows_ = {Row(kA, 1, 100)};
  EXPECT_EQ(Sync(At(11)).appeared.at(0).facts.name, "vm-100");
  processes_.Add(100, "web");
  EXPECT_THAT(Walked({VmFile(kA, 100, 100)}, At(12)).changed, ElementsAre(Entry(1, 0, "web", 100)));
}

TEST_F(InventoryTest, AReusedPidIsAnotherProcess) {
  processes_.Add(100, "web", At(1));
  rows_ = {Row(kA, 1, 100)};
  Walked({VmFile(kA, 100, 100)}, At(12));
  processes_.Add(100, "heir", At(13));
  EXPECT_THAT(Walked({VmFile(kA, 100, 100)}, At(14)).changed,
              ElementsAre(HandedOn(1, "web", 100, "heir")));
}

TEST_F(InventoryTest, AVmmCannotRenameItselfButItsCgroupIsReadAgain) {
  ProcessFacts& process = processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  const std::vector<ks_open_file> files = {VmFile(kA, 100, 100)};
  Walked(files, At(12));
  process.args = {"qemu", "-name", "bank"};
  process.cgroup = "/machine.slice/moved";
  EXPECT_EQ(Walked(files, At(13)), InventoryChanges{});
  const auto changed = Walked(files, At(22)).changed;
  ASSERT_EQ(changed.size(), 1U);
  EXPECT_EQ(changed[0].facts, Facts(1, "web", 100, "/machine.slice/moved"));
}

TEST_F(InventoryTest, ANameThatComesWithTheCgroupIsTakenLater) {
  ProcessFacts& process = processes_.Add(100, "x");
  process.exe = "/opt/kata/bin/cloud-hypervisor";
  process.args = {"cloud-hypervisor", "--api-socket", "fd=3"};
  process.cgroup = "/";
  rows_ = {Row(kA, 1, 100)};
  const std::vector<ks_open_file> files = {VmFile(kA, 100, 100)};
  EXPECT_EQ(Walked(files, At(12)).appeared.at(0).facts.name, "vm-100");
  process.cgroup = "/kubepods/pod1/kata_41cb";
  EXPECT_EQ(Walked(files, At(22)).changed.at(0).facts.name, "sandbox-41cb");
}

TEST_F(InventoryTest, ASuspectKeepsItsFactsThoughItsProcessHasGone) {
  processes_.Add(100, "web");
  rows_ = {Row(kA, 1, 100)};
  CountIs(1);
  Walked({VmFile(kA, 100, 100)}, At(12));
  processes_.processes.clear();
  EXPECT_EQ(Walked({}, At(30)), InventoryChanges{});
}

TEST_F(InventoryTest, AProcessIsReadOnceForAllItsVms) {
  processes_.Add(100, "web");
  for (uint64_t i = 1; i <= 50; ++i) rows_.push_back(Row(i << 12, i, 100));
  EXPECT_EQ(Sync(At(11)).appeared.size(), 50U);
  EXPECT_EQ(processes_.reads, 1);
}

}  // namespace
}  // namespace kvmsentry
