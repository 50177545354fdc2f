#include "sensor/inventory/device_reader.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/unit/inventory/fake_tree.h"

namespace kvmsentry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ks_open_device VmFile() {
  ks_open_device file{};
  file.kind = KS_DEVICE_VM;
  file.fd = 8;
  file.tgid = 100;
  return file;
}

class DeviceReaderTest : public ::testing::Test {
 protected:
  DeviceReaderTest() {
    tree_.Write("misc", "200 tun\n238 vhost-net\n");
    tree_.Write("100/comm", "qemu\n");
    EXPECT_TRUE(reader_.ReadMiscDevices().ok());
  }

  // What the kernel would tell of the file NAME, which process 100 has open as FD.
  ks_open_device Open(uint32_t fd, const std::string& name) {
    tree_.Write(name, std::string(512, 'x'));
    const std::string path = tree_.root() + "/" + name;
    tree_.Remove("100/fd/" + std::to_string(fd));
    tree_.Link("100/fd/" + std::to_string(fd), path);
    struct stat stat {};
    EXPECT_EQ(::stat(path.c_str(), &stat), 0);
    ks_open_device file{};
    file.kind = KS_DEVICE_FILE;
    file.inode = stat.st_ino;
    file.size = 512;
    file.fs_magic = EXT4_SUPER_MAGIC;
    file.fs_device = major(stat.st_dev) << 20 | minor(stat.st_dev);
    file.tgid = 100;
    file.fd = fd;
    file.flags = KS_DEVICE_READ | KS_DEVICE_WRITE;
    return file;
  }

  static ks_open_device Misc(uint32_t fd, uint32_t minor, uint64_t object) {
    ks_open_device file{};
    file.kind = KS_DEVICE_MISC;
    file.device = 10U << 20 | minor;
    file.object = object;
    file.tgid = 100;
    file.fd = fd;
    return file;
  }

  DeviceList Read(const std::vector<ks_open_device>& files) {
    const auto list = reader_.Read(100, [&](int32_t, const auto& visit) {
      for (const ks_open_device& file : files) visit(file);
      return absl::OkStatus();
    });
    EXPECT_TRUE(list.ok()) << list.status();
    return list.value_or(DeviceList{});
  }

  FakeTree tree_;
  DeviceReader reader_{tree_.root()};
};

ks_open_device IoEventfd(uint32_t bus, uint64_t address, uint64_t bytes) {
  ks_open_device found = VmFile();
  found.kind = KS_DEVICE_IOEVENTFD;
  found.flags = bus;
  found.object = address;
  found.size = bytes;
  return found;
}

TEST_F(DeviceReaderTest, TheIoeventfdsOfAPageAreOneWindowAndPortsAreEachTheirOwn) {
  const DeviceList list =
      Read({VmFile(), IoEventfd(KS_BUS_MMIO, 0xfe003008, 2), IoEventfd(KS_BUS_MMIO, 0xfe003000, 0),
            IoEventfd(KS_BUS_MMIO, 0xfe007000, 4), IoEventfd(KS_BUS_PORTS, 0xc050, 2),
            IoEventfd(KS_BUS_PORTS, 0xc050, 2), IoEventfd(KS_BUS_PORTS, 0xc070, 2)});
  EXPECT_THAT(list.windows,
              ElementsAre(WriteWindow{false, 0xfe003000, 0xfe003009},
                          WriteWindow{false, 0xfe007000, 0xfe007003},
                          WriteWindow{true, 0xc050, 0xc051}, WriteWindow{true, 0xc070, 0xc071}));
}

TEST_F(DeviceReaderTest, WhatKvmWouldNotSayOfAnIoeventfdIsNoWindow) {
  EXPECT_THAT(
      Read({VmFile(), IoEventfd(KS_BUS_PORTS + 1, 0x10, 1), IoEventfd(KS_BUS_MMIO, UINT64_MAX, 8)})
          .windows,
      IsEmpty());
  std::vector<ks_open_device> many = {VmFile()};
  for (uint64_t port = 0; port < 2 * kMaxDevices; ++port) {
    many.push_back(IoEventfd(KS_BUS_PORTS, port, 1));
  }
  EXPECT_THAT(Read(many).windows, SizeIs(kMaxDevices));
}

TEST_F(DeviceReaderTest, AProcessWithoutAVmHasNoDevices) {
  EXPECT_EQ(Read({Open(9, "disk")}), DeviceList{});
  EXPECT_THAT(Read({Open(9, "disk"), VmFile()}).devices, SizeIs(1));
}

TEST_F(DeviceReaderTest, ADiskIsNamedByItsPathEscaped) {
  const ks_open_device file = Open(9, "a\x1b");
  const auto devices = Read({VmFile(), file}).devices;
  ASSERT_THAT(devices, SizeIs(1));
  EXPECT_EQ(devices[0].name, tree_.root() + "/a\\x1b");
  EXPECT_EQ(devices[0].inode, file.inode);
  EXPECT_EQ(devices[0].pid, 100);
}

TEST_F(DeviceReaderTest, WhatTheWalkReadNeedsNoLookAtProc) {
  ks_open_device file = Open(9, "disk");
  std::filesystem::remove(tree_.root() + "/100/fd/9");
  std::strcpy(file.path, "/srv/a\x1b");
  EXPECT_EQ(Read({VmFile(), file}).devices.at(0).name, "/srv/a\\x1b");
  // Without an end, as only a broken kernel would say it.
  std::memset(file.path, 'x', sizeof(file.path));
  EXPECT_EQ(Read({VmFile(), file}).devices.at(0).name, std::string(sizeof(file.path), 'x'));
}

TEST_F(DeviceReaderTest, ADescriptorThatMeansAnotherFileByNowNamesNothing) {
  const ks_open_device file = Open(9, "disk");
  Open(9, "other");
  auto devices = Read({VmFile(), file}).devices;
  ASSERT_THAT(devices, SizeIs(1));
  EXPECT_EQ(devices[0].name, "");
  EXPECT_EQ(devices[0].inode, file.inode);
  ks_open_device elsewhere = Open(9, "disk");
  elsewhere.fs_device ^= 1;
  EXPECT_EQ(Read({VmFile(), elsewhere}).devices.at(0).name, "");
  // These two make up the device that stat() tells.
  elsewhere.fs_magic = OVERLAYFS_SUPER_MAGIC;
  EXPECT_EQ(Read({VmFile(), elsewhere}).devices.at(0).name, tree_.root() + "/disk");
}

TEST_F(DeviceReaderTest, TheQueuesOfATapAreOneDevice) {
  ks_open_device first = Misc(20, 200, 0x1000);
  first.interface = 0x9000;
  ks_open_device second = Misc(21, 200, 0x2000);
  second.interface = 0x9000;
  for (ks_open_device* queue : {&first, &second}) std::strcpy(queue->tap, "tap0");
  const auto devices = Read({VmFile(), second, first}).devices;
  ASSERT_THAT(devices, SizeIs(1));
  EXPECT_EQ(devices[0].files, 2U);
  EXPECT_EQ(devices[0].object, 0x1000U);  // the file of the lowest descriptor
}

TEST_F(DeviceReaderTest, ADeviceIsListedOnceHoweverOftenItIsOpen) {
  const ks_open_device high = Open(12, "disk");
  ks_open_device low = Open(9, "disk");
  low.flags = KS_DEVICE_READ;
  const auto devices = Read({VmFile(), high, low, Misc(20, 238, 0x1000), Misc(21, 238, 0x2000),
                             Misc(22, 238, 0x2000)})
                           .devices;
  ASSERT_THAT(devices, SizeIs(3));
  EXPECT_EQ(devices[0].name, "vhost-net");
  EXPECT_EQ(devices[0].files, 1U);
  EXPECT_EQ(devices[1].object, 0x2000U);
  EXPECT_EQ(devices[1].files, 2U);
  EXPECT_EQ(devices[2].fd, 9U);
  EXPECT_EQ(devices[2].files, 2U);
  EXPECT_TRUE(devices[2].writable);
}

TEST_F(DeviceReaderTest, ATapIsNamedByTheKernelElseByItsDriver) {
  ks_open_device tap = Misc(9, 200, 0x1000);
  const std::string widest = "fifteen-letters";
  widest.copy(tap.tap, sizeof(tap.tap));
  EXPECT_EQ(Read({VmFile(), tap}).devices.at(0).name, widest);
  tap.tap[15] = 'x';  // no end
  EXPECT_EQ(Read({VmFile(), tap}).devices.at(0).name, widest + "x");
  tap.tap[0] = '\0';
  tree_.Write("100/fdinfo/9", "pos:\t0\nflags:\t02\niff:\ttap7\n");
  EXPECT_EQ(Read({VmFile(), tap}).devices.at(0).name, "tap7");
  tree_.Write("100/fdinfo/9", "pos:\t0\nflags:\t02\niff:\t\n");
  EXPECT_THAT(Read({VmFile(), tap}).devices, IsEmpty());  // attached to none
}

TEST_F(DeviceReaderTest, DevicesAreBoundedAndTheRestIsCounted) {
  std::vector<ks_open_device> files = {VmFile()};
  for (uint32_t i = 0; i < 1000; ++i) files.push_back(Misc(10 + i, 238, 0x1000 + i));
  const DeviceList list = Read(files);
  EXPECT_THAT(list.devices, SizeIs(kMaxDevices));
  EXPECT_EQ(list.left_out, 1000 - kMaxDevices);
}

TEST_F(DeviceReaderTest, AProcessThatIsGoneHasNoneAndAFailedWalkIsAnError) {
  const auto fail = [](int32_t, const auto&) { return absl::InternalError("x"); };
  EXPECT_FALSE(reader_.Read(100, fail).ok());
  EXPECT_EQ(*reader_.Read(101, fail), DeviceList{});
}

TEST_F(DeviceReaderTest, WithoutTheKernelsListNoMiscellaneousDeviceIsKnown) {
  tree_.Remove("misc");
  EXPECT_FALSE(reader_.ReadMiscDevices().ok());
  EXPECT_THAT(Read({VmFile(), Misc(9, 238, 0x1000)}).devices, IsEmpty());
}

}  // namespace
}  // namespace kvmsentry
