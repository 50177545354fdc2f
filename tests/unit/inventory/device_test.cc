#include "sensor/inventory/device.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const MiscDevices kMisc = {
    {200, "tun"}, {238, "vhost-net"}, {241, "vhost-vsock"}, {120, "vhost-scsi"}, {232, "kvm"}};

ks_open_device Misc(uint32_t major, uint32_t minor) {
  ks_open_device file{};
  file.kind = KS_DEVICE_MISC;
  file.device = major << 20 | minor;
  file.fd = 9;
  file.flags = KS_DEVICE_READ | KS_DEVICE_WRITE;
  return file;
}

// An image of the smallest size that counts.
ks_open_device Image() {
  ks_open_device file{};
  file.kind = KS_DEVICE_FILE;
  file.fd = 3;
  file.size = 512;
  file.fs_magic = EXT4_SUPER_MAGIC;
  file.flags = KS_DEVICE_READ | KS_DEVICE_WRITE;
  return file;
}

TEST(DeviceKindOfTest, MiscellaneousDevicesByTheirMinor) {
  EXPECT_EQ(DeviceKindOf(Misc(10, 200), kMisc), DeviceKind::kTap);
  EXPECT_EQ(DeviceKindOf(Misc(10, 238), kMisc), DeviceKind::kVhostNet);
  EXPECT_EQ(DeviceKindOf(Misc(10, 241), kMisc), DeviceKind::kVhostVsock);
  EXPECT_EQ(DeviceKindOf(Misc(10, 120), kMisc), DeviceKind::kVhostScsi);
  EXPECT_EQ(DeviceKindOf(Misc(10, 232), kMisc), std::nullopt);
  EXPECT_EQ(DeviceKindOf(Misc(10, 7), kMisc), std::nullopt);
}

TEST(DeviceKindOfTest, AVmsOwnFileIsNoDevice) {
  ks_open_device file = Image();
  file.kind = KS_DEVICE_VM;
  EXPECT_EQ(DeviceKindOf(file, kMisc), std::nullopt);
}

TEST(DeviceKindOfTest, AFileIsADiskByTheStatedRule) {
  const struct {
    const char* what;
    std::function<void(ks_open_device&)> change;
    bool disk;
  } kCases[] = {
      {"an image", [](auto&) {}, true},
      {"open for reading only", [](auto& f) { f.flags = KS_DEVICE_READ; }, true},
      {"a mapped image", [](auto& f) { f.flags |= KS_DEVICE_MAPPED; }, true},
      {"an image on tmpfs", [](auto& f) { f.fs_magic = TMPFS_MAGIC; }, true},
      {"a block device",
       [](auto& f) { f.kind = KS_DEVICE_BLOCK, f.size = 0, f.fs_magic = TMPFS_MAGIC; }, true},
      {"a mapped block device",
       [](auto& f) { f.kind = KS_DEVICE_BLOCK, f.flags |= KS_DEVICE_MAPPED; }, true},

      {"standard input", [](auto& f) { f.fd = 0; }, false},
      {"standard error", [](auto& f) { f.fd = 2; }, false},
      {"open for writing only", [](auto& f) { f.flags = KS_DEVICE_WRITE; }, false},
      {"open for appending", [](auto& f) { f.flags |= KS_DEVICE_APPEND; }, false},
      {"less than a sector", [](auto& f) { f.size = 511; }, false},
      {"deleted", [](auto& f) { f.flags |= KS_DEVICE_UNLINKED; }, false},
      {"a memfd", [](auto& f) { f.flags |= KS_DEVICE_INTERNAL; }, false},
      {"of proc", [](auto& f) { f.fs_magic = PROC_SUPER_MAGIC; }, false},
      {"of sysfs", [](auto& f) { f.fs_magic = SYSFS_MAGIC, f.size = 4096; }, false},
      {"of a cgroup", [](auto& f) { f.fs_magic = CGROUP2_SUPER_MAGIC; }, false},
      {"huge pages", [](auto& f) { f.fs_magic = HUGETLBFS_MAGIC; }, false},
      {"memory on tmpfs", [](auto& f) { f.fs_magic = TMPFS_MAGIC, f.flags |= KS_DEVICE_MAPPED; },
       false},
      {"a library", [](auto& f) { f.flags = KS_DEVICE_READ | KS_DEVICE_MAPPED; }, false},
      {"a block device as standard input", [](auto& f) { f.kind = KS_DEVICE_BLOCK, f.fd = 0; },
       false},
  };
  for (const auto& c : kCases) {
    ks_open_device file = Image();
    c.change(file);
    EXPECT_EQ(DeviceKindOf(file, kMisc).has_value(), c.disk) << c.what;
  }
}

TEST(DeviceKindOfTest, AFileIsMemoryByTheStatedRule) {
  const struct {
    const char* what;
    std::function<void(ks_open_device&)> change;
    bool memory;
  } kCases[] = {
      {"shared memory", [](auto&) {}, true},
      {"a memfd", [](auto& f) { f.flags |= KS_DEVICE_INTERNAL | KS_DEVICE_UNLINKED; }, true},
      {"huge pages", [](auto& f) { f.fs_magic = HUGETLBFS_MAGIC; }, true},

      {"not mapped", [](auto& f) { f.flags ^= KS_DEVICE_MAPPED; }, false},
      {"read only", [](auto& f) { f.flags ^= KS_DEVICE_WRITE; }, false},
      {"a ring of some pages", [](auto& f) { f.size = 64 << 10; }, false},
      {"on a disk", [](auto& f) { f.fs_magic = EXT4_SUPER_MAGIC; }, false},
      {"a block device", [](auto& f) { f.kind = KS_DEVICE_BLOCK; }, false},
  };
  for (const auto& c : kCases) {
    ks_open_device file = Image();
    file.fs_magic = TMPFS_MAGIC;
    file.size = 1 << 20;
    file.flags |= KS_DEVICE_MAPPED;
    c.change(file);
    EXPECT_EQ(DeviceKindOf(file, kMisc) == DeviceKind::kMemory, c.memory) << c.what;
  }
}

TEST(ParseMiscDevicesTest, MinorsAndNames) {
  EXPECT_THAT(ParseMiscDevices("238 vhost-net\n  7 x\n"),
              ElementsAre(Pair(7, "x"), Pair(238, "vhost-net")));
  EXPECT_THAT(ParseMiscDevices("\nx y\n1\n1 2 3\n-1 z\n"), IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
