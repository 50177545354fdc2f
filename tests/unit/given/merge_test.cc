#include "sensor/given/merge.h"

#include "sensor/given/qemu.h"
#include "tests/unit/given/given_fixture.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Device Disk(const std::string& name, uint64_t inode, bool writable = true) {
  Device device;
  device.name = name;
  device.major = 8;
  device.minor = 1;
  device.inode = inode;
  device.size = {inode * 1000};
  device.writable = writable;
  return device;
}

Device Tap(const std::string& name, uint32_t fd) {
  Device device;
  device.kind = DeviceKind::kTap;
  device.name = name;
  device.fd = fd;
  return device;
}

TEST(MergeFoundTest, DisksGetTheirFilesAndOthersShow) {
  Given given = GivenByQemu(Args{"-drive", "file=/a.img,format=raw,id=a", "-drive",
                                 "file=link.img,format=raw,id=b", "-drive",
                                 "file=/gone.img,format=raw,id=c"});
  Found found;
  found.devices.devices = {Disk("/a.img", 1), Disk("/real.img", 2), Disk("/late.img", 3, false)};
  found.file_of = [](const std::string& path) {
    return path == "link.img" ? std::optional(FileId{8, 1, 2}) : std::nullopt;
  };
  MergeFound(found, &given);
  ASSERT_THAT(given.disks, SizeIs(4));
  EXPECT_THAT(given.disks[0].file, IsKnown("8:1 inode 1", FactOrigin::kOpenFile));
  EXPECT_THAT(given.disks[0].size, IsKnown(1000U, FactOrigin::kOpenFile));
  EXPECT_THAT(given.disks[0].path, IsFromArgv("/a.img"));
  EXPECT_THAT(given.disks[1].file, IsKnown("8:1 inode 2", FactOrigin::kOpenFile));
  EXPECT_THAT(given.disks[2].file, IsUnknown());
  const given::Disk& late = given.disks[3];
  EXPECT_EQ(late.id, "late.img");
  EXPECT_THAT(late.path, IsKnown("/late.img", FactOrigin::kOpenFile));
  EXPECT_THAT(late.read_only, IsKnown(true, FactOrigin::kOpenFile));
  EXPECT_THAT(late.format, IsUnknown());
}

TEST(MergeFoundTest, AnImageLacksSpaceThatMayGrowWhereNoneIsLeft) {
  Given given = GivenByQemu(Args{
      "-drive", "file=/holes.img,format=raw,id=a", "-drive", "file=/whole.img,format=raw,id=b",
      "-drive", "file=/grows.qcow2,format=qcow2,id=c", "-drive", "file=/roomy.img,format=raw,id=d",
      "-drive", "file=/read.img,format=raw,id=e,readonly=on"});
  Found found;
  found.devices.devices = {Disk("/holes.img", 1), Disk("/whole.img", 2), Disk("/grows.qcow2", 3),
                           Disk("/roomy.img", 4), Disk("/read.img", 5, false)};
  found.space_of = [](const Device& image) {
    const uint64_t holes = image.name == "/whole.img" || image.name == "/grows.qcow2" ? 0 : 4096;
    return ImageSpace{.holes = holes, .left = image.name == "/roomy.img" ? 1U << 30 : 4096U};
  };
  MergeFound(found, &given);
  ASSERT_THAT(given.disks, SizeIs(5));
  EXPECT_THAT(given.disks[0].no_space, IsKnown(true, FactOrigin::kOpenFile));
  EXPECT_THAT(given.disks[1].no_space, IsKnown(false, FactOrigin::kOpenFile));
  EXPECT_THAT(given.disks[2].no_space, IsKnown(true, FactOrigin::kOpenFile));
  EXPECT_THAT(given.disks[3].no_space, IsKnown(false, FactOrigin::kOpenFile));
  EXPECT_THAT(given.disks[4].no_space, IsUnknown());
}

TEST(FindFoldersTest, AFolderIsWhatItsPathLeadsTo) {
  Given given = GivenByQemu(Args{"-virtfs", "local,path=/srv/a,mount_tag=a,security_model=none",
                                 "-virtfs", "local,path=/gone,mount_tag=b,security_model=none"});
  Found found;
  found.folder_of = [](const std::string& path) {
    return path == "/srv/a" ? std::optional(FileId{8, 1, 7}) : std::nullopt;
  };
  FindFolders(found, &given);
  ASSERT_THAT(given.folders, SizeIs(2));
  EXPECT_EQ(given.folders[0].root.value, (FileId{8, 1, 7}));
  EXPECT_FALSE(given.folders[1].root.known());
}

TEST(MergeFoundTest, WhatBacksADiskIsNoOther) {
  Given given = GivenByQemu(
      Args{"-blockdev", "driver=qcow2,node-name=a,file.driver=file,file.filename=/a,backing=b",
           "-blockdev", "driver=raw,node-name=b,file.driver=file,file.filename=/b"});
  Found found;
  found.devices.devices = {Disk("/a", 1), Disk("/b", 2, false)};
  MergeFound(found, &given);
  EXPECT_THAT(given.disks, SizeIs(1));
}

TEST(MergeFoundTest, DescriptorsGetTheirNames) {
  Given given =
      GivenByQemu(Args{"-add-fd", "set=2,fd=33", "-drive", "file=/dev/fdset/2,format=raw,id=a",
                       "-netdev", "tap,fds=20:21,id=n", "-netdev", "tap,fd=30,id=m", "-nodefaults",
                       "-chardev", "socket,id=c,fd=40", "-mon", "chardev=c,mode=control"});
  Found found;
  found.devices.devices = {Disk("/a.img", 1), Tap("vnet3", 20), Tap("vnet9", 50)};
  found.files = {{30, "/dev/tap7"}, {33, "/a.img"}, {40, "socket:[99]"}};
  found.socket_of = [](uint64_t inode) { return inode == 99 ? "/run/mon\n.sock" : ""; };
  found.bridge_of = [](const Device& tap) { return tap.name == "vnet3" ? "virbr0" : ""; };
  MergeFound(found, &given);
  ASSERT_THAT(given.disks, SizeIs(1));
  EXPECT_THAT(given.disks[0].path, IsKnown("/a.img", FactOrigin::kOpenFile));
  ASSERT_THAT(given.interfaces, SizeIs(3));
  EXPECT_THAT(given.interfaces[0].device, IsKnown("vnet3", FactOrigin::kOpenFile));
  EXPECT_THAT(given.interfaces[0].bridge, IsKnown("virbr0", FactOrigin::kOpenFile));
  EXPECT_THAT(given.interfaces[1].kind, IsKnown("macvtap", FactOrigin::kOpenFile));
  EXPECT_THAT(given.interfaces[1].device, IsKnown("/dev/tap7", FactOrigin::kOpenFile));
  EXPECT_EQ(given.interfaces[2].id, "vnet9");
  EXPECT_THAT(given.monitors[0].place, IsKnown("unix:/run/mon\\x0a.sock", FactOrigin::kOpenFile));
}

TEST(MergeFoundTest, ATapWithoutANameIsTheOnlyOne) {
  Given one = GivenByQemu(Args{"-netdev", "tap,id=n"});
  Found found;
  found.devices.devices = {Tap("tap0", 7)};
  MergeFound(found, &one);
  ASSERT_THAT(one.interfaces, SizeIs(1));
  EXPECT_THAT(one.interfaces[0].device, IsKnown("tap0", FactOrigin::kOpenFile));
  Given two = GivenByQemu(Args{"-netdev", "tap,id=n", "-netdev", "tap,id=m"});
  MergeFound(found, &two);
  EXPECT_THAT(two.interfaces, SizeIs(3));
}

TEST(MergeFoundTest, DevicesOfTheHost) {
  Given given;
  Found found;
  found.files = {{5, "/dev/vfio/vfio"},
                 {6, "/dev/vfio/12"},
                 {7, "/dev/vfio/12"},
                 {8, "/dev/vfio/devices/vfio0"},
                 {9, "/dev/vhost-vdpa-0"}};
  MergeFound(found, &given);
  ASSERT_THAT(given.devices, SizeIs(3));
  EXPECT_THAT(given.devices[0].kind, IsKnown("vfio-group", FactOrigin::kOpenFile));
  EXPECT_THAT(given.devices[0].place, IsKnown("/dev/vfio/12", FactOrigin::kOpenFile));
}

// Of files of memory some are declared, by their size; the others show.
TEST(MergeFoundTest, MemoryGetsItsFile) {
  Given given =
      GivenByQemu(Args{"-m", "64", "-object", "memory-backend-memfd,id=ram,size=64M,share=on"});
  Found found;
  Device ram;
  ram.kind = DeviceKind::kMemory;
  ram.name = "/memfd:memory-backend-memfd (deleted)";
  ram.minor = 1;
  ram.inode = 42;
  ram.size = {64 << 20};
  Device other = ram;
  other.name = "/dev/shm/both";
  other.inode = 43;
  other.size = {2 << 20};
  found.devices.devices = {other, ram};
  MergeFound(found, &given);
  ASSERT_THAT(given.memory.backing, SizeIs(2));
  EXPECT_EQ(given.memory.backing[0].id, "ram");
  EXPECT_THAT(given.memory.backing[0].file, IsKnown("0:1 inode 42", FactOrigin::kOpenFile));
  EXPECT_THAT(given.memory.backing[0].size, IsFromArgv(64U << 20));
  EXPECT_EQ(given.memory.backing[1].id, "both");
  EXPECT_THAT(given.memory.backing[1].path, IsKnown("/dev/shm/both", FactOrigin::kOpenFile));
}

TEST(MergeDeclaredTest, FillsWhatIsUnknownAndAddsWhatIsNew) {
  Given given = GivenByQemu(Args{"-drive", "file=/a,format=qcow2,id=d", "-device",
                                 "virtio-blk,drive=d,id=virtio-disk0", "-m", "64"});
  Given other;
  given::Disk& same = other.disks.emplace_back();
  same.id = "virtio-disk0";
  same.path = {"/elsewhere", FactOrigin::kLibvirt};
  same.backing = {{"/base"}, FactOrigin::kLibvirt};
  same.shared = {true, FactOrigin::kLibvirt};
  other.disks.emplace_back().id = "virtio-disk1";
  other.memory.size = {1, FactOrigin::kLibvirt};
  other.manager.domain = {"web", FactOrigin::kLibvirt};
  MergeDeclared(other, &given);
  ASSERT_THAT(given.disks, SizeIs(2));
  EXPECT_THAT(given.disks[0].path, IsFromArgv("/a"));
  EXPECT_THAT(given.disks[0].backing,
              IsKnown(std::vector<std::string>{"/base"}, FactOrigin::kLibvirt));
  EXPECT_THAT(given.disks[0].shared, IsKnown(true, FactOrigin::kLibvirt));
  EXPECT_EQ(given.disks[1].id, "virtio-disk1");
  EXPECT_THAT(given.memory.size, IsFromArgv(64U << 20));
  EXPECT_THAT(given.manager.domain, IsKnown("web", FactOrigin::kLibvirt));
}

}  // namespace
}  // namespace kvmsentry
