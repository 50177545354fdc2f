#include "sensor/source/kvm/counts.h"

#include <vector>

#include <gtest/gtest.h>

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

ks_vm_row AliveVm(uint64_t serial) {
  ks_vm_row row{};
  row.serial = serial;
  row.state = KS_VM_ALIVE;
  return row;
}

ks_vcpu_row Vcpu(uint64_t serial, uint32_t slot, uint64_t pio) {
  ks_vcpu_row row{};
  row.vcpu = 0xffff888000000000;
  row.vm_serial = serial;
  row.published = 1;
  row.vm_slot = slot;
  row.meters[KS_METER_PIO].count = pio;
  return row;
}

// Rows in the slots of their places.
std::vector<KvmCounts> Read(std::vector<ks_vm_row> vms, const std::vector<ks_vcpu_row>& vcpus) {
  for (Slot slot = 0; slot < vms.size(); ++slot) vms[slot].slot = slot;
  return ReadKvmCounts(vms, vcpus);
}

TEST(ReadCountsTest, SumsOverTheVcpusOfEachVm) {
  const std::vector<ks_vm_row> vms = {AliveVm(1), AliveVm(2)};
  std::vector<ks_vcpu_row> vcpus = {Vcpu(1, 0, 10), Vcpu(2, 1, 500), Vcpu(1, 0, 7)};
  vcpus[0].meters[KS_METER_EXIT].count = 3;
  const auto counts = Read(vms, vcpus);
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].vm, VmId{1});
  EXPECT_EQ(counts[0].slot, 0U);
  EXPECT_EQ(counts[0].vcpus, 2U);
  EXPECT_EQ(counts[0].count[KS_METER_PIO], 17U);
  EXPECT_EQ(counts[0].count[KS_METER_EXIT], 3U);
  EXPECT_EQ(counts[1].vm, VmId{2});
  EXPECT_EQ(counts[1].slot, 1U);
  EXPECT_EQ(counts[1].count[KS_METER_PIO], 500U);
}

// Which no vCPU's row holds.
TEST(ReadCountsTest, AddsWhatIsCountedOfAVmAsAWhole) {
  std::vector<ks_vm_row> vms = {AliveVm(1)};
  vms[0].meters[KS_METER_IOCTL - KS_METERS_OF_VCPU].count = 7;
  const auto counts = Read(vms, std::vector{Vcpu(1, 0, 10)});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].count[KS_METER_IOCTL], 7U);
  EXPECT_EQ(counts[0].count[KS_METER_IRQ_LINE], 0U);
}

// Or a sum would go back when a vCPU goes.
TEST(ReadCountsTest, AddsWhatRetiredVcpusCounted) {
  std::vector<ks_vm_row> vms = {AliveVm(1)};
  vms[0].retired[KS_METER_PIO] = 100;
  vms[0].retired[KS_METER_MSR] = 5;
  const auto counts = Read(vms, std::vector{Vcpu(1, 0, 10)});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].count[KS_METER_PIO], 110U);
  EXPECT_EQ(counts[0].count[KS_METER_MSR], 5U);
}

TEST(ReadCountsTest, AReplacedVmIsReadAndADeadOrFreeOneIsNot) {
  std::vector<ks_vm_row> vms = {AliveVm(1), AliveVm(2), AliveVm(3), {}};
  vms[0].state = KS_VM_REPLACED;
  vms[1].state = KS_VM_DEAD;
  vms[2].state = KS_VM_FREE;
  const auto counts =
      Read(vms, std::vector{Vcpu(1, 0, 4), Vcpu(2, 1, 5), Vcpu(3, 2, 6), Vcpu(0, 3, 7)});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].vm, VmId{1});
  EXPECT_EQ(counts[0].count[KS_METER_PIO], 4U);
}

// A vCPU whose VM is gone, while its slot has a new one.
TEST(ReadCountsTest, AVcpuOfAnotherSerialInTheSlotIsNotCounted) {
  const std::vector<ks_vm_row> vms = {AliveVm(9)};
  const auto counts = Read(vms, std::vector{Vcpu(8, 0, 1000), Vcpu(9, 0, 1)});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].count[KS_METER_PIO], 1U);
  EXPECT_EQ(counts[0].vcpus, 1U);
}

TEST(ReadCountsTest, ASlotOutsideTheTableIsPassedOver) {
  const std::vector<ks_vm_row> vms = {AliveVm(9)};
  const auto counts = Read(vms, std::vector{Vcpu(9, 1, 5), Vcpu(9, UINT32_MAX, 5)});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].count[KS_METER_PIO], 0U);
}

TEST(ReadCountsTest, NamesTheLatestOfTheVcpuThatLookedLast) {
  std::vector<ks_vcpu_row> vcpus = {Vcpu(1, 0, 1000), Vcpu(1, 0, 20), Vcpu(1, 0, 0)};
  vcpus[0].meters[KS_METER_PIO].folded_ns = 5;  // much, but long ago
  vcpus[1].meters[KS_METER_PIO].folded_ns = 7;
  vcpus[2].meters[KS_METER_PIO].folded_ns = 9;  // has counted nothing
  vcpus[0].meters[KS_METER_PIO].last = 0x80;
  vcpus[1].meters[KS_METER_PIO].last = 0x3f5;
  vcpus[2].meters[KS_METER_PIO].last = 0x402;
  vcpus[2].meters[KS_METER_MMIO].count = 1;
  vcpus[2].meters[KS_METER_MMIO].last = 0xd0000000;
  vcpus[0].meters[KS_METER_USERSPACE_EXIT].count = 1;
  vcpus[0].meters[KS_METER_USERSPACE_EXIT].last = 2;
  const auto counts = Read(std::vector{AliveVm(1)}, vcpus);
  EXPECT_EQ(counts[0].last[KS_METER_PIO], 0x3f5U);
  EXPECT_EQ(counts[0].last[KS_METER_MMIO], 0xd0000000U);
  EXPECT_EQ(counts[0].last[KS_METER_USERSPACE_EXIT], 2U);
}

TEST(KvmTallyTest, ShowsAVmByItsSlotAndSerial) {
  std::vector<ks_vm_row> vms = {AliveVm(1), AliveVm(2)};
  vms[1].born_seen = 1;
  vms[1].incomplete = 1;
  const KvmTally tally(Read(vms, std::vector{Vcpu(2, 1, 500)}));
  VmDetails details;
  tally.Show({{2}, 1}, &details);
  EXPECT_EQ(details.counts[FeatureNamed("pio.rate")], 500U);
  EXPECT_EQ(details.vcpus, 1U);
  EXPECT_TRUE(details.born_seen);
  EXPECT_TRUE(details.incomplete);
  VmDetails other;
  tally.Show({{1}, 0}, &other);
  EXPECT_EQ(other.counts[FeatureNamed("pio.rate")], 0U);
  EXPECT_FALSE(other.born_seen);
  EXPECT_FALSE(other.incomplete);
  VmDetails none;
  tally.Show({{3}, 1}, &none);  // the slot is another VM's
  EXPECT_TRUE(none.counts.empty());
}

TEST(ReadCountsTest, ARowThatMayBeGivenBackIsNobodysYet) {
  std::vector<ks_vcpu_row> vcpus = {Vcpu(1, 0, 10), Vcpu(1, 0, 0)};
  vcpus[1].published = 0;
  const std::vector<KvmCounts> counts = Read({AliveVm(1)}, vcpus);
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].vcpus, 1U);
}

}  // namespace
}  // namespace kvmsentry
