#include "sensor/source/entitlement/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Given Understood() {
  Given given;
  given.memory.size = {1 << 30, FactOrigin::kArgv};
  return given;
}

TEST(RunnerTest, IsTheUserAndTheProgram) {
  Given given;
  given.program = {"/usr/bin/qemu-system-x86_64", FactOrigin::kProcess};
  EXPECT_EQ(RunnerOf(given), "");
  given.privileges.uid = {107, FactOrigin::kProcess};
  EXPECT_EQ(RunnerOf(given), "uid 107 /usr/bin/qemu-system-x86_64");
}

TEST(UndeclaredTest, IsWhatIsOnlyOpen) {
  Given given = Understood();
  given.disks.emplace_back().path = {"/told.img", FactOrigin::kArgv};
  given.disks.emplace_back().path = {"/plugged.img", FactOrigin::kLibvirt};
  given.disks.emplace_back().path = {"/stolen.img", FactOrigin::kOpenFile};
  given.interfaces.emplace_back().device = {"tap0", FactOrigin::kOpenFile};
  given::HostDevice& vfio = given.devices.emplace_back();
  vfio.kind = {"vfio-group", FactOrigin::kOpenFile};
  vfio.place = {"/dev/vfio/3", FactOrigin::kOpenFile};
  EXPECT_THAT(UndeclaredOf(given),
              ElementsAre("disk /stolen.img", "interface tap0", "vfio-group /dev/vfio/3"));
}

// Of a VMM that is not known, everything is only open.
TEST(UndeclaredTest, IsNothingWhereTheCommandLineSaysNothing) {
  Given given;
  given.disks.emplace_back().path = {"/a.img", FactOrigin::kOpenFile};
  EXPECT_THAT(UndeclaredOf(given), IsEmpty());
}

TEST(MemoryFilesTest, AreThoseThatAreKnownByWhatTheyAre) {
  Given given;
  given.memory.backing.emplace_back().path = {"/dev/hugepages", FactOrigin::kArgv};
  given::MemoryBacking& named = given.memory.backing.emplace_back();
  named.path = {"/dev/shm/both", FactOrigin::kArgv};
  named.file = {"0:24 inode 7", FactOrigin::kOpenFile};
  given.memory.backing.emplace_back().file = {"0:1 inode 9", FactOrigin::kOpenFile};
  EXPECT_THAT(MemoryFilesOf(given), ElementsAre(Pair("0:1 inode 9", "0:1 inode 9"),
                                                Pair("0:24 inode 7", "/dev/shm/both")));
}

TEST(GrownTest, AreRawImagesPastTheirFirstSize) {
  Given given;
  for (const char* format : {"raw", "qcow2"}) {
    given::Disk& disk = given.disks.emplace_back();
    disk.path = {absl::StrCat("/srv/a.", format), FactOrigin::kArgv};
    disk.format = {format, FactOrigin::kArgv};
    disk.file = {absl::StrCat("8:1 ", format), FactOrigin::kOpenFile};
    disk.size = {1000, FactOrigin::kOpenFile};
  }
  std::map<std::string, uint64_t> first;
  EXPECT_THAT(GrownOf(given, &first), IsEmpty());
  for (given::Disk& disk : given.disks) disk.size = {1001, FactOrigin::kOpenFile};
  EXPECT_THAT(GrownOf(given, &first), ElementsAre("/srv/a.raw"));
  given.disks[0].size = {999, FactOrigin::kOpenFile};
  EXPECT_THAT(GrownOf(given, &first), IsEmpty());
}

TEST(NetworkMonitorsTest, AreThoseThatListenOnTheNetwork) {
  Given given;
  for (const char* place : {"tcp:0.0.0.0:4444", "unix:/run/tcp:", "telnet:127.0.0.1:1", "stdio"}) {
    given::Monitor& monitor = given.monitors.emplace_back();
    monitor.kind = {"qmp", FactOrigin::kArgv};
    monitor.place = {place, FactOrigin::kArgv};
  }
  given.monitors.emplace_back();
  EXPECT_THAT(NetworkMonitorsOf(given),
              ElementsAre("qmp tcp:0.0.0.0:4444", "qmp telnet:127.0.0.1:1"));
}

TEST(ImagesWithoutSpaceTest, AreImagesThatLackSpace) {
  Given given;
  for (const bool lacks : {true, false}) {
    given::Disk& disk = given.disks.emplace_back();
    disk.path = {lacks ? "/srv/full.raw" : "/srv/roomy.raw", FactOrigin::kArgv};
    disk.no_space = {lacks, FactOrigin::kOpenFile};
  }
  given.disks.emplace_back().path = {"/srv/unknown.raw", FactOrigin::kArgv};
  EXPECT_THAT(ImagesWithoutSpace(given), ElementsAre("/srv/full.raw"));
}

given::Privileges Rights(uint64_t uid, const char* capabilities, bool filtered) {
  given::Privileges privileges;
  privileges.uid = {uid, FactOrigin::kProcess};
  privileges.capabilities = {capabilities, FactOrigin::kProcess};
  privileges.filtered = {filtered, FactOrigin::kProcess};
  return privileges;
}

TEST(GainedTest, IsWhatWasNotThereAtFirst) {
  const given::Privileges first = Rights(107, "0x1000", true);
  EXPECT_THAT(GainedSince(first, first), IsEmpty());
  EXPECT_THAT(GainedSince(first, Rights(0, "0x3000", false)),
              ElementsAre("uid 0", "capabilities 0x2000", "unfiltered system calls"));
}

TEST(GainedTest, GivingRightsUpIsNone) {
  EXPECT_THAT(GainedSince(Rights(0, "0x1ffffffffff", false), Rights(107, "0x0", true)), IsEmpty());
  EXPECT_THAT(GainedSince(given::Privileges{}, Rights(0, "0x1", false)),
              IsEmpty());  // it was not known
}

TEST(GainedTest, WhatWasGivenUpIsGainedWhereItComesBack) {
  const given::Privileges root = Rights(0, "0x3000", false);
  given::Privileges first = root;
  GiveUp(Rights(107, "0x1000", true), &first);
  EXPECT_THAT(GainedSince(first, Rights(107, "0x1000", true)), IsEmpty());
  EXPECT_THAT(GainedSince(first, root),
              ElementsAre("uid 0", "capabilities 0x2000", "unfiltered system calls"));
  GiveUp(root, &first);
  EXPECT_THAT(GainedSince(first, root),
              ElementsAre("uid 0", "capabilities 0x2000", "unfiltered system calls"));
}

given::Privileges Boxed(const std::string& label, std::vector<std::string> namespaces) {
  given::Privileges privileges = Rights(107, "0x0", true);
  privileges.label = {label, FactOrigin::kProcess};
  privileges.namespaces = {std::move(namespaces), FactOrigin::kProcess};
  return privileges;
}

TEST(GainedTest, AnotherLabelOrNamespaceIsOne) {
  const given::Privileges first = Boxed("libvirt-1 (enforce)", {"mnt 7", "net 8"});
  EXPECT_THAT(GainedSince(first, Boxed("unconfined", {"mnt 1", "net 8"})),
              ElementsAre("label unconfined", "namespace mnt"));
  EXPECT_THAT(GainedSince(first, Boxed("libvirt-2 (enforce)", {"mnt 7", "net 8"})),
              ElementsAre("label libvirt-2 (enforce)"));
  EXPECT_THAT(GainedSince(first, Boxed("libvirt-1 (complain)", {"mnt 7", "net 8"})),
              ElementsAre("label libvirt-1 (complain)"));
  EXPECT_THAT(GainedSince(first, first), IsEmpty());
  // What was not known, or is not any more.
  EXPECT_THAT(GainedSince(Rights(107, "0x0", true), first), IsEmpty());
  EXPECT_THAT(GainedSince(first, Boxed("libvirt-1 (enforce)", {"net 8", "uts 9"})), IsEmpty());
}

TEST(GainedTest, AStricterLabelIsNone) {
  EXPECT_THAT(GainedSince(Boxed("unconfined", {}), Boxed("qemu (enforce)", {})), IsEmpty());
  EXPECT_THAT(GainedSince(Boxed("qemu (complain)", {}), Boxed("qemu (enforce)", {})), IsEmpty());
  EXPECT_THAT(GainedSince(Boxed("qemu (complain)", {}), Boxed("ls (enforce)", {})),
              ElementsAre("label ls (enforce)"));
}

TEST(ManagerTest, OneThatOnlyTheCommandLineNamesIsNone) {
  Given given;
  EXPECT_EQ(ManagerOf(given), "");
  given.manager.kind = {"libvirt", FactOrigin::kArgv};
  EXPECT_EQ(ManagerOf(given), "");
  given.manager.kind.origin = FactOrigin::kLibvirt;
  EXPECT_EQ(ManagerOf(given), "libvirt");
}

}  // namespace
}  // namespace kvmsentry
