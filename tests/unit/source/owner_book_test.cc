#include "sensor/source/kvm/owner_book.h"

#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/given/given.h"

namespace kvmsentry {
namespace {

using ::testing::IsEmpty;

constexpr VmPlace kOne = {{1}, 10};
constexpr VmPlace kTwo = {{2}, 20};
constexpr OwnedThing kTap = {KS_OWNER_INTERFACE, 7};
constexpr OwnedThing kDisk = {KS_OWNER_FILE, 8, 9};

// The kernel's map, as far as it was told.
using Map = std::map<OwnedThing, std::tuple<uint64_t, Slot, uint32_t>>;

class OwnerBookTest : public ::testing::Test {
 protected:
  void Tell() {
    for (const OwnerBook::Change& change : book_.Changes()) {
      if (change.owner.serial == 0) {
        map_.erase(change.thing);
      } else {
        map_[change.thing] = {change.owner.serial, change.owner.slot, change.owner.several};
      }
      book_.Done(change);
    }
    EXPECT_THAT(book_.Changes(), IsEmpty());
  }

  OwnerBook book_;
  Map map_;
};

TEST(ThingsOfTest, MemoryIsOwnedAsWhatItIs) {
  DeviceList devices;
  Device& memory = devices.devices.emplace_back();
  memory.kind = DeviceKind::kMemory;
  memory.minor = 24;
  memory.inode = 7;
  memory.writable = true;
  VmFacts facts;
  facts.pid = 42;
  const OwnedThing kMemory = {.kind = KS_OWNER_FILE, .id = 24, .within = 7, .role = KS_ROLE_MEMORY};
  EXPECT_THAT(ThingsOf(facts, devices), ::testing::Contains(kMemory));
  OwnerBook book;
  book.Say(kOne, {kMemory});
  ASSERT_EQ(book.Changes().size(), 1U);
  EXPECT_EQ(book.Changes()[0].owner.role, KS_ROLE_MEMORY);
  memory.another_vms = true;
  EXPECT_THAT(ThingsOf(facts, devices), ::testing::SizeIs(1));
}

TEST(HelpersOfTest, ThoseWhoseNumberIsKnownAreProcessesThatHelp) {
  Given given;
  given.helpers.resize(4);
  const char* const kKinds[] = {"swtpm", "passt", "virtiofsd"};
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    given.helpers[i].id = kKinds[i];
    given.helpers[i].pid = {uint64_t{43 + i}, FactOrigin::kProcess};
  }
  given.children.resize(kMaxOwnedHelpers);
  for (given::Helper& child : given.children) {
    child.id = "block device";
    child.pid = {uint64_t{50}, FactOrigin::kProcess};
    child.start_ticks = 4711;
  }
  const auto helpers = HelpersOf(given);
  ASSERT_EQ(helpers.size(), kMaxOwnedHelpers);
  EXPECT_EQ(helpers[0], (OwnedThing{.kind = KS_OWNER_PROCESS, .id = 43}));
  EXPECT_EQ(helpers[0].role, KS_ROLE_HELPER);
  EXPECT_EQ(helpers[1].role, KS_ROLE_NET_HELPER);
  EXPECT_EQ(helpers[2].role, KS_ROLE_FILE_HELPER);
  EXPECT_EQ(helpers[3].role, KS_ROLE_HELPER);
  EXPECT_EQ(helpers[3].incarnation, 4711U);
}

// Whoever calls itself a helper of one VM does not take another's process from it.
TEST(OwnerBookRolesTest, AProcessIsItsOwnVmsBeforeItHelpsOthers) {
  const OwnedThing helper = {.kind = KS_OWNER_PROCESS, .id = 42, .role = KS_ROLE_HELPER};
  const OwnedThing own = {.kind = KS_OWNER_PROCESS, .id = 42};
  OwnerBook book;
  book.Say(kOne, {helper});
  book.Say(kTwo, {own});
  const auto changes = book.Changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].owner.serial, kTwo.vm.serial);
  EXPECT_EQ(changes[0].owner.role, KS_ROLE_OWN);
}

TEST_F(OwnerBookTest, WhatIsSaidIsToldOnceAndWhatIsNotSaidAgainIsTakenBack) {
  book_.Say(kOne, {kTap, kDisk});
  Tell();
  EXPECT_EQ(map_, (Map{{kTap, {1, 10, 0}}, {kDisk, {1, 10, 0}}}));
  book_.Say(kOne, {kTap, kDisk});
  EXPECT_THAT(book_.Changes(), IsEmpty());
  book_.Say(kOne, {kDisk});
  Tell();
  EXPECT_EQ(map_, (Map{{kDisk, {1, 10, 0}}}));
  book_.Say(kOne, {});
  Tell();
  EXPECT_THAT(map_, IsEmpty());
}

TEST_F(OwnerBookTest, AThingOfTwoVmsIsSeveralsUntilOneIsGone) {
  book_.Say(kOne, {kDisk});
  book_.Say(kTwo, {kDisk});
  Tell();
  EXPECT_EQ(map_, (Map{{kDisk, {1, 10, 1}}}));
  book_.Say(kOne, {});
  Tell();
  EXPECT_EQ(map_, (Map{{kDisk, {2, 20, 0}}}));
}

// As where another process maps an image on tmpfs: it is the same file.
TEST_F(OwnerBookTest, AFileThatTurnsOutToBeMemoryIsTheSameThing) {
  OwnedThing file = kDisk;
  for (const ks_role role : {KS_ROLE_OWN, KS_ROLE_MEMORY, KS_ROLE_OWN}) {
    file.role = role;
    book_.Say(kOne, {file});
    const auto changes = book_.Changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].owner.serial, 1U);
    EXPECT_EQ(changes[0].owner.role, role);
    Tell();
  }
}

// A file system gives the number of a removed file to the next one.
TEST_F(OwnerBookTest, AFileWithTheNumberOfAnotherIsTold) {
  DeviceList devices;
  Device& disk = devices.devices.emplace_back();
  disk.minor = 8;
  disk.inode = 9;
  disk.writable = true;
  for (const uint32_t generation : {0x10007U, 0x10008U}) {
    disk.generation = generation;
    book_.Say(kOne, {ThingsOf({}, devices).back()});
    const auto changes = book_.Changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].thing, kDisk);
    EXPECT_EQ(changes[0].owner.incarnation, generation & 0xffff);
    Tell();
  }
}

// A tap that moves to another VM within a tick is never nobody's.
TEST_F(OwnerBookTest, AThingThatChangesHandsIsReplaced) {
  book_.Say(kOne, {kTap});
  Tell();
  book_.Say(kOne, {});
  book_.Say(kTwo, {kTap});
  const auto changes = book_.Changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].owner.serial, 2U);
}

TEST_F(OwnerBookTest, WhatTheMapRefusedStaysDue) {
  book_.Say(kOne, {kTap, kDisk});
  auto changes = book_.Changes();
  ASSERT_EQ(changes.size(), 2U);
  book_.Done(changes[0]);
  EXPECT_EQ(book_.Changes(), std::vector{changes[1]});
  book_.Say(kOne, {});
  Tell();
  EXPECT_THAT(map_, IsEmpty());
}

// Whatever comes and goes: the map says what the VMs that live own, and nothing of the dead.
TEST_F(OwnerBookTest, StaysRightUnderChurn) {
  std::mt19937_64 random(1);
  std::map<uint64_t, std::set<uint64_t>> living;  // interfaces by serial
  for (int step = 0; step < 20000; ++step) {
    const uint64_t serial = random() % 20 + 1;
    std::set<uint64_t>& owned = living[serial];
    owned.clear();
    for (uint64_t i = random() % 4; i > 0; --i) owned.insert(random() % 30);
    std::vector<OwnedThing> things;
    for (const uint64_t id : owned) things.push_back({KS_OWNER_INTERFACE, id});
    book_.Say({{serial}, static_cast<Slot>(serial)}, things);
    if (step % 7 != 0) continue;
    Tell();
    std::map<uint64_t, int> owners;
    for (const auto& [vm, ids] : living) {
      for (const uint64_t id : ids) ++owners[id];
    }
    ASSERT_EQ(map_.size(), owners.size());
    for (const auto& [thing, owner] : map_) {
      const auto& [vm, slot, several] = owner;
      ASSERT_TRUE(living[vm].contains(thing.id));
      ASSERT_EQ(slot, vm);
      ASSERT_EQ(several, owners[thing.id] > 1 ? 1U : 0U);
    }
  }
}

TEST(ThingsOfTest, AreWhatTheInventoryFoundOfTheVmAlone) {
  VmFacts facts;
  facts.pid = 42;
  DeviceList list{
      .devices = {{.kind = DeviceKind::kDisk,
                   .name = {},
                   .major = 8,
                   .minor = 1,
                   .inode = 99,
                   .writable = true},
                  {.kind = DeviceKind::kDisk,
                   .name = {},
                   .major = 7,
                   .minor = 3,
                   .block = true,
                   .writable = true},
                  {.kind = DeviceKind::kDisk, .name = {}, .major = 8, .minor = 1, .inode = 98},
                  {.kind = DeviceKind::kTap, .name = {}, .ifindex = 5, .net_ns = 4026531840},
                  {.kind = DeviceKind::kTap, .name = {}},  // its types are not known
                  {.kind = DeviceKind::kVhostNet, .name = {}},
                  {.kind = DeviceKind::kDisk,
                   .name = {},
                   .major = 8,
                   .minor = 1,
                   .inode = 100,
                   .writable = true,
                   .another_vms = true}},
      .cgroup = 77};
  const OwnedThing process{KS_OWNER_PROCESS, 42};
  EXPECT_THAT(ThingsOf(facts, list),
              ::testing::ElementsAre(process, OwnedThing{KS_OWNER_CGROUP, 77},
                                     OwnedThing{KS_OWNER_FILE, 8 << 20 | 1, 99},
                                     OwnedThing{KS_OWNER_FILE, 7 << 20 | 3, 0},
                                     OwnedThing{KS_OWNER_INTERFACE, 5, 4026531840}));
  list = {.devices = {}, .cgroup = 1};  // the root's, where everybody is
  EXPECT_THAT(ThingsOf(facts, list), ::testing::ElementsAre(process));
}

TEST(SharedDisksOfTest, AreThoseThatAreDeclaredSoAndFound) {
  Given given;
  for (const bool shared : {true, false}) {
    given::Disk& disk = given.disks.emplace_back();
    disk.file = {shared ? "8:1 inode 42" : "8:1 inode 43", FactOrigin::kOpenFile};
    disk.shared = {shared, FactOrigin::kArgv};
  }
  given.disks.emplace_back().shared = {true, FactOrigin::kArgv};
  const std::set<std::string> shared = SharedDisksOf(given);
  EXPECT_THAT(shared, ::testing::ElementsAre("8:1 inode 42"));
  std::vector<OwnedThing> things = {{KS_OWNER_FILE, 8 << 20 | 1, 42},
                                    {KS_OWNER_FILE, 8 << 20 | 1, 43},
                                    {KS_OWNER_INTERFACE, 8 << 20 | 1, 42},
                                    {KS_OWNER_FILE, 8 << 20 | 1, 42, KS_ROLE_MEMORY}};
  MarkShared(shared, &things);
  EXPECT_EQ(things[0].role, KS_ROLE_SHARED);
  EXPECT_EQ(things[1].role, KS_ROLE_OWN);
  EXPECT_EQ(things[2].role, KS_ROLE_OWN);
  EXPECT_EQ(things[3].role, KS_ROLE_MEMORY);
}

TEST(FoldersOfTest, AreThoseOfWhichItIsKnownWhatTheyAre) {
  Given given;
  given.folders.resize(3);
  given.folders[1].root = {FileId{8, 1, 42}, FactOrigin::kProcess};
  given.folders[2] = given.folders[1];
  given.folders[2].path = {"/of-virtiofsd", FactOrigin::kHelper};
  EXPECT_THAT(FoldersOf(given), ::testing::ElementsAre(OwnedThing{KS_OWNER_FILE, 8 << 20 | 1, 42}));
}

}  // namespace
}  // namespace kvmsentry
