// Whose is it: every count lands on the VM and the vCPU that caused it.
#include <set>

#include <bpf/bpf.h>

#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

// KVM_RUN's returns and port accesses of each vCPU of a guest with VMS VMs, by their place.
void ExpectEach(const GuestReport& report,
                const std::vector<std::vector<const ks_vcpu_row*>>& vms) {
  for (const GuestVcpu& vcpu : report.vcpus) {
    ASSERT_LT(vcpu.vm, vms.size());
    ASSERT_LT(vcpu.vcpu, vms[vcpu.vm].size());
    const ks_vcpu_row& row = *vms[vcpu.vm][vcpu.vcpu];
    EXPECT_EQ(row.vcpu_index, vcpu.vcpu);
    EXPECT_EQ(row.meters[KS_METER_PIO].count, vcpu.io_exits);
    EXPECT_EQ(row.meters[KS_METER_USERSPACE_EXIT].count, vcpu.Exits());
  }
}

class SharedProcessTest : public BpfTest, public ::testing::WithParamInterface<const char*> {};

// The vCPUs differ in what they do by chance alone, as the storm is cut short.
TEST_P(SharedProcessTest, TwoStormsAndACalmVmAreCountedApart) {
  Load();
  ASSERT_OK_AND_ASSIGN(
      Guest guest,
      Guest::Start(absl::StrCat("--behaviour pio --vms 2 --calm-vms 1 --vcpus 3", GetParam())));
  ASSERT_OK(guest.Begin());
  const std::vector<Slot> slots = SlotsOf(guest.pid());
  ASSERT_EQ(slots.size(), 3U);
  ASSERT_TRUE(WaitUntil([&] {
    return CountsIn(slots[0]).count[KS_METER_PIO] > 5000 &&
           CountsIn(slots[1]).count[KS_METER_PIO] > 5000;
  }));
  ASSERT_OK(guest.Stop());
  ASSERT_OK_AND_ASSIGN(const GuestReport report, guest.Finish());
  ASSERT_EQ(report.vcpus.size(), 9U);
  ExpectEach(report, {VcpusIn(slots[0]), VcpusIn(slots[1]), VcpusIn(slots[2])});
  EXPECT_EQ(CountsIn(slots[2]).count[KS_METER_PIO], 0U);
  ExpectNoLosses();
}

INSTANTIATE_TEST_SUITE_P(Run, SharedProcessTest, ::testing::Values("", " --one-thread"),
                         [](const auto& test) {
                           return std::string(*test.param == '\0' ? "ByThreads" : "ByOneThread");
                         });

TEST_F(BpfTest, AVmBornUnderWatchIsKnownBeforeItRuns) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour calm --vcpus 2"));
  const Slot slot = SlotOf(guest.pid());
  EXPECT_EQ(VmRow(slot).born_seen, 1U);
  EXPECT_EQ(VmRow(slot).state, static_cast<uint32_t>(KS_VM_ALIVE));
  EXPECT_EQ(VmRow(slot).vcpus, 2U);
  for (const ks_vcpu_row* vcpu : VcpusIn(slot)) {
    EXPECT_EQ(vcpu->origin, static_cast<uint32_t>(KS_ORIGIN_BORN));
  }
  size_t told = 0;
  probe().DrainRing([&](std::span<const std::byte> bytes) {
    const auto record = Decode(bytes);
    ASSERT_OK(record);
    const auto* born = std::get_if<VmBorn>(&*record);
    if (born == nullptr || born->vm != VmIn(slot)) return;
    ++told;
    EXPECT_EQ(born->slot, slot);
  });
  EXPECT_EQ(told, 1U);
}

TEST_F(BpfTest, TheWalkFindsAVmThatWasThereBefore) {
  ASSERT_OK_AND_ASSIGN(Guest guest,
                       Guest::Start("--behaviour mmio --count 2000 --then exit --vcpus 2"));
  Load();
  EXPECT_TRUE(SlotsOf(guest.pid()).empty());
  ASSERT_OK_AND_ASSIGN(const std::vector<ks_open_file> files, probe().WalkOpenFiles());
  const Slot slot = SlotOf(guest.pid());
  EXPECT_EQ(VmRow(slot).born_seen, 0U);
  const auto vcpus = VcpusIn(slot);
  ASSERT_EQ(vcpus.size(), 2U);
  std::multiset<uint64_t> held;  // the vCPUs' files, and 0 for the VM's
  for (const ks_open_file& file : files) {
    if (file.tgid != static_cast<uint32_t>(guest.pid())) continue;
    EXPECT_EQ(file.kvm, VmRow(slot).kvm);
    EXPECT_EQ(file.creator_pid, file.tgid);
    EXPECT_EQ(file.kind, static_cast<uint32_t>(file.vcpu == 0 ? KS_FILE_VM : KS_FILE_VCPU));
    held.insert(file.vcpu);
  }
  EXPECT_EQ(held, (std::multiset<uint64_t>{0, vcpus[0]->vcpu, vcpus[1]->vcpu}));
  ASSERT_OK(guest.Begin());
  ASSERT_OK(guest.Finish());
  for (const ks_vcpu_row* vcpu : vcpus) {
    EXPECT_EQ(vcpu->origin, static_cast<uint32_t>(KS_ORIGIN_WALK));
    EXPECT_EQ(vcpu->meters[KS_METER_MMIO].count, 2000U);
  }
  ExpectNoLosses();
}

TEST_F(BpfTest, WalkingAgainRegistersNothingTwice) {
  Load();
  ASSERT_OK_AND_ASSIGN(const Guest guest, Guest::Start("--behaviour calm --vms 2 --vcpus 2"));
  for (int i = 0; i < 3; ++i) ASSERT_OK(probe().WalkOpenFiles());
  const std::vector<Slot> slots = SlotsOf(guest.pid());
  ASSERT_EQ(slots.size(), 2U);
  for (const Slot slot : slots) EXPECT_EQ(VcpusIn(slot).size(), 2U);
}

// Neither birth nor walk: the first hook that meets it loses nothing.
TEST_F(BpfTest, AHookThatMeetsAnUnknownVmCountsItFromTheFirstOccurrence) {
  Load({{"kvm_track_tsc", {}}, {"task_file", {}}});
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --count 500 --then exit --vcpus 2"));
  const Slot slot = SlotOf(guest.pid);
  EXPECT_EQ(VmRow(slot).born_seen, 0U);
  for (const ks_vcpu_row* vcpu : VcpusIn(slot)) {
    EXPECT_EQ(vcpu->origin, static_cast<uint32_t>(KS_ORIGIN_HOOK));
  }
  ExpectEach(guest.report, {VcpusIn(slot)});
  ExpectNoLosses();
}

// Nobody saw that the vCPU's address was reused, as while the daemon was down: its kept row is of a
// VM that lived elsewhere. The walk, with which a daemon begins, puts that right.
TEST_F(BpfTest, AVcpuAtTheAddressOfAnotherVmsIsNotCountedForThatOne) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --count 300 --then exit"));
  const Slot dead = SlotOf(guest.pid());
  ks_vm_row row = VmRow(dead);
  const uint64_t kvm = row.kvm;
  row.kvm += 1;
  row.creator_pid = 0;
  const Fd vms(bpf_obj_get((options_.pin_root + "/kvm/vms").c_str()));
  const Fd vm_slots(bpf_obj_get((options_.pin_root + "/kvm/vm_slots").c_str()));
  ASSERT_EQ(bpf_map_update_elem(vms.get(), &dead, &row, BPF_ANY), 0);
  ASSERT_EQ(bpf_map_delete_elem(vm_slots.get(), &kvm), 0);
  ASSERT_OK(probe().WalkOpenFiles());
  ASSERT_OK(guest.Begin());
  ASSERT_OK(guest.Finish());
  EXPECT_EQ(CountsOf(guest.pid()).count[KS_METER_PIO], 300U);
  EXPECT_EQ(CountsIn(dead).count[KS_METER_PIO], 0U);
  ExpectNoLosses();
}

// The slab hands the same addresses out again at once. Nobody releases the dead here, so every
// stale row is there to be hit.
TEST_F(BpfTest, VmsInARowAtTheSameAddressesAreCountedApart) {
  Load();
  constexpr int kVms = 50;
  std::vector<FinishedGuest> guests;
  for (int i = 0; i < kVms; ++i) {
    ASSERT_OK_AND_ASSIGN(
        FinishedGuest guest,
        RunGuest(absl::StrCat("--behaviour pio --vcpus 2 --then exit --count ", 100 + i)));
    guests.push_back(std::move(guest));
  }
  std::set<uint64_t> serials;
  std::set<uint64_t> addresses;
  bool reused = false;
  for (const FinishedGuest& guest : guests) {
    const Slot slot = SlotOf(guest.pid);
    serials.insert(VmRow(slot).serial);
    reused |= !addresses.insert(VmRow(slot).kvm).second;
    // A vCPU's row forgets its address when that has gone to another.
    for (const ks_vcpu_row* vcpu : VcpusIn(slot)) reused |= vcpu->vcpu == 0;
    EXPECT_EQ(VmRow(slot).born_seen, 1U);
    ExpectEach(guest.report, {VcpusIn(slot)});
  }
  EXPECT_EQ(serials.size(), static_cast<size_t>(kVms));
  EXPECT_TRUE(reused) << "no address was reused: proves nothing";
  ExpectNoLosses();
}

}  // namespace
}  // namespace kvmsentry
