#include "sensor/record/sampler.h"

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
  row.vm_slot = slot;
  row.meters[KS_METER_PIO].count = pio;
  return row;
}

ks_queue_row Queue(uint64_t queue, uint64_t serial, uint32_t slot) {
  ks_queue_row row{};
  row.queue = queue;
  row.vm_serial = serial;
  row.vm_slot = slot;
  return row;
}

TEST(ReadCountsTest, SumsOverTheVcpusOfEachVm) {
  const std::vector<ks_vm_row> vms = {AliveVm(1), AliveVm(2)};
  std::vector<ks_vcpu_row> vcpus = {Vcpu(1, 0, 10), Vcpu(2, 1, 500), Vcpu(1, 0, 7)};
  vcpus[0].meters[KS_METER_EXIT].count = 3;
  const auto counts = ReadCounts(vms, vcpus, {});
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

TEST(ReadCountsTest, AddsTheQueuesOfEachVm) {
  const std::vector<ks_vm_row> vms = {AliveVm(1), AliveVm(2)};
  std::vector<ks_queue_row> queues = {Queue(0xffff888000000000, 1, 0),
                                      Queue(0, 1, 0),                   // gone, and not folded yet
                                      Queue(0xffff888000001000, 3, 1),  // of the VM before
                                      Queue(0xffff888000002000, 2, UINT32_MAX)};
  for (ks_queue_row& queue : queues) {
    queue.meters[KS_METER_VHOST_KICK - KS_METER_VHOST_RUN].count = 5;
  }
  const auto counts = ReadCounts(vms, {}, queues);
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].count[KS_METER_VHOST_KICK], 10U);
  EXPECT_EQ(counts[0].queues, 1U);
  EXPECT_EQ(counts[1].count[KS_METER_VHOST_KICK], 0U);
  EXPECT_EQ(counts[1].queues, 0U);
}

// Which no vCPU's row holds.
TEST(ReadCountsTest, AddsWhatIsCountedOfAVmAsAWhole) {
  std::vector<ks_vm_row> vms = {AliveVm(1)};
  vms[0].meters[KS_METER_IOCTL - KS_METERS_OF_VCPU].count = 7;
  const auto counts = ReadCounts(vms, std::vector{Vcpu(1, 0, 10)}, {});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].count[KS_METER_IOCTL], 7U);
  EXPECT_EQ(counts[0].count[KS_METER_IRQ_LINE], 0U);
}

// Or a sum would go back when a vCPU goes.
TEST(ReadCountsTest, AddsWhatRetiredVcpusCounted) {
  std::vector<ks_vm_row> vms = {AliveVm(1)};
  vms[0].retired[KS_METER_PIO] = 100;
  vms[0].retired[KS_METER_MSR] = 5;
  const auto counts = ReadCounts(vms, std::vector{Vcpu(1, 0, 10)}, {});
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
      ReadCounts(vms, std::vector{Vcpu(1, 0, 4), Vcpu(2, 1, 5), Vcpu(3, 2, 6), Vcpu(0, 3, 7)}, {});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].vm, VmId{1});
  EXPECT_EQ(counts[0].count[KS_METER_PIO], 4U);
}

// A vCPU whose VM is gone, while its slot has a new one.
TEST(ReadCountsTest, AVcpuOfAnotherSerialInTheSlotIsNotCounted) {
  const std::vector<ks_vm_row> vms = {AliveVm(9)};
  const auto counts = ReadCounts(vms, std::vector{Vcpu(8, 0, 1000), Vcpu(9, 0, 1)}, {});
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts[0].count[KS_METER_PIO], 1U);
  EXPECT_EQ(counts[0].vcpus, 1U);
}

TEST(ReadCountsTest, ASlotOutsideTheTableIsPassedOver) {
  const std::vector<ks_vm_row> vms = {AliveVm(9)};
  const auto counts = ReadCounts(vms, std::vector{Vcpu(9, 1, 5), Vcpu(9, UINT32_MAX, 5)}, {});
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
  const auto counts = ReadCounts(std::vector{AliveVm(1)}, vcpus, {});
  EXPECT_EQ(counts[0].last[KS_METER_PIO], 0x3f5U);
  EXPECT_EQ(counts[0].last[KS_METER_MMIO], 0xd0000000U);
  EXPECT_EQ(counts[0].last[KS_METER_USERSPACE_EXIT], 2U);
}

TEST(AppendObservationsTest, MissingIsNotZero) {
  VmCounts counts;
  counts.vm = {1};
  counts.count[KS_METER_PIO] = 3;
  std::vector<Observation> out;
  AppendObservations(counts, {5}, {}, false, out);
  EXPECT_TRUE(out.empty());
  // What a set holds does not come from meters.
  AppendObservations(counts, {5}, std::vector{FeatureNamed("pio.rate"), FeatureNamed("pio.port")},
                     false, out);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].feature, FeatureNamed("pio.rate"));
}

TEST(AppendObservationsTest, SaysWhatWasCountedWhenAndOfWhom) {
  VmCounts counts;
  counts.vm = {4};
  counts.count[KS_METER_PIO] = 3;
  counts.last[KS_METER_PIO] = 0x3f5;
  counts.count[KS_METER_ENTRY] = 8;
  std::vector<Observation> out(1);
  AppendObservations(
      counts, {5},
      std::vector{FeatureNamed("pio.rate"), FeatureNamed("mmio.rate"), FeatureNamed("entry.rate")},
      true, out);
  ASSERT_EQ(out.size(), 4U);
  for (size_t i = 1; i < out.size(); ++i) {
    EXPECT_EQ(out[i].time, KernelTime{5});
    EXPECT_EQ(out[i].vm, VmId{4});
    EXPECT_EQ(out[i].kind, ObservationKind::kCount);
    EXPECT_EQ(out[i].serial, i);
    EXPECT_TRUE(out[i].lossy);
  }
  EXPECT_EQ(out[1].value, 3U);
  EXPECT_EQ(out[1].detail, 0x3f5U);
  EXPECT_EQ(out[2].value, 0U);
  EXPECT_EQ(out[2].detail, std::nullopt);  // none was seen
  EXPECT_EQ(out[3].value, 8U);
  EXPECT_EQ(out[3].detail, std::nullopt);  // an exit names nothing
}

// Nor what the coverage of a hook says already.
TEST(LossesThatMatterTest, AreAllButBudgetsAndVmsThatAreNotWatched) {
  ks_losses losses{.ring_full = 1,
                   .no_vm_slot = 10,
                   .no_vcpu_slot = 100,
                   .table_update = 1000,
                   .row_lookup = 10000,
                   .unattributed = 100000,
                   .over_budget = 1000000,
                   .no_queue_slot = 10000000,
                   .queue_unattributed = 100000000,
                   .queue_without_vm = 1000000000,
                   .vfio_unattributed = 10000000000,
                   .vfio_without_vm = 100000000000,
                   .irq_unattributed = 1000000000000,
                   .missed_return = 10000000000000};
  EXPECT_EQ(LossesThatMatter(losses), 10010110111101U);
  losses = {};
  losses.over_budget = 5;
  losses.no_vm_slot = 5;
  losses.queue_without_vm = 5;
  losses.vfio_without_vm = 5;
  losses.irq_unattributed = 5;
  EXPECT_EQ(LossesThatMatter(losses), 0U);
}

}  // namespace
}  // namespace kvmsentry
