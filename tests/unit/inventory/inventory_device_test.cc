// Which devices a VM has.
#include "tests/unit/inventory/inventory_fixture.h"

namespace kvmsentry {
namespace {

TEST_F(InventoryTest, DevicesAreThoseOfTheProcessesThatHoldTheVm) {
  for (const int pid : {100, 200, 300}) processes_.Add(pid, "vm");
  rows_ = {Row(kA, 1, 100), Row(kB, 2, 200)};
  Sync(At(11));
  EXPECT_EQ(inventory_.DevicesOf(VmId{1}), DeviceList{});
  Walked({VmFile(kA, 100, 100), VmFile(kA, 300, 100), VmFile(kB, 200, 200)}, At(12),
         {{100, Disks(100, {"a"})}, {200, Disks(200, {"b"})}, {300, Disks(300, {"helper"})}});
  DeviceList expected = Disks(100, {"a"});
  expected.devices.push_back(Disks(300, {"helper"}).devices[0]);
  EXPECT_EQ(inventory_.DevicesOf(VmId{1}), expected);
  EXPECT_EQ(inventory_.DevicesOf(VmId{2}), Disks(200, {"b"}));
  EXPECT_EQ(inventory_.DevicesOf(VmId{3}), DeviceList{});
  Sync(At(13));  // nothing new is known between walks
  EXPECT_EQ(inventory_.DevicesOf(VmId{2}), Disks(200, {"b"}));
  Walked({VmFile(kA, 100, 100), VmFile(kB, 200, 200)}, At(14), {{100, Disks(100, {"a", "c"})}});
  EXPECT_EQ(inventory_.DevicesOf(VmId{1}), Disks(100, {"a", "c"}));
  EXPECT_EQ(inventory_.DevicesOf(VmId{2}), DeviceList{});
}

TEST_F(InventoryTest, DevicesOfAProcessWithSeveralVmsAreListedWithEachAndSaySo) {
  processes_.Add(100, "fleet");
  rows_ = {Row(kA, 1, 100), Row(kB, 2, 100)};
  Walked({VmFile(kA, 100, 100), VcpuFile(kA, 100, 100), VmFile(kB, 100, 100)}, At(12),
         {{100, Disks(100, {"a"})}});
  for (const uint64_t serial : {1U, 2U}) {
    const DeviceList list = inventory_.DevicesOf(VmId{serial});
    ASSERT_EQ(list.devices.size(), 1U);
    EXPECT_TRUE(list.devices[0].shared_by_process);
    EXPECT_EQ(list.devices[0].another_vms, serial != 1);
  }
  rows_.pop_back();
  Walked({VmFile(kA, 100, 100), VcpuFile(kA, 100, 100)}, At(13), {{100, Disks(100, {"a"})}});
  EXPECT_FALSE(inventory_.DevicesOf(VmId{1}).devices.at(0).shared_by_process);
}

TEST_F(InventoryTest, AnUnwatchedVmHasDevicesToo) {
  Walked({VmFile(kA, 100, 100)}, At(12), {{100, Disks(100, {"a"})}});
  ASSERT_EQ(inventory_.unwatched().size(), 1U);
  EXPECT_EQ(inventory_.DevicesOf(inventory_.unwatched()[0]), Disks(100, {"a"}));
}

TEST_F(InventoryTest, DevicesOfAVmAreBoundedAndTheRestIsCounted) {
  rows_ = {Row(kA, 1, 100)};
  DeviceList many = Disks(100, std::vector<std::string>(40, "d"));
  many.left_out = 5;
  Walked({VmFile(kA, 100, 100), VmFile(kA, 200, 100)}, At(12), {{100, many}, {200, many}});
  const DeviceList list = inventory_.DevicesOf(VmId{1});
  EXPECT_EQ(list.devices.size(), kMaxDevices);
  EXPECT_EQ(list.left_out, 2 * 45 - kMaxDevices);
}

// A VM at the address of one that is gone: what the last walk found was the other's.
TEST_F(InventoryTest, ANewVmHasNoDevicesBeforeAWalkFindsIt) {
  rows_ = {Row(kA, 1, 100)};
  Walked({VmFile(kA, 100, 100)}, At(12), {{100, Disks(100, {"a"})}});
  rows_ = {Row(kA, 2, 100, At(13))};
  Sync(At(14));
  EXPECT_EQ(inventory_.DevicesOf(VmId{2}), DeviceList{});
}

}  // namespace
}  // namespace kvmsentry
