// Slots of the dead are used again, and nothing of the dead is left in them.
#include <bpf/bpf.h>

#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

bool AllZero(const void* start, size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(start);
  return std::all_of(bytes, bytes + size, [](unsigned char byte) { return byte == 0; });
}

class ReleaseTest : public BpfTest {};

TEST_F(ReleaseTest, AReleasedSlotHoldsNothingOfItsVm) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --count 500 --then exit"));
  const Slot slot = SlotOf(guest.pid());
  tables().SetLimits(slot, std::vector<Limit>{{.meter = {SourceId::kKvm, KS_METER_PIO},
                                               .count = 100,
                                               .window_ns = kNsPerSecond}});
  ASSERT_OK(guest.Begin());
  ASSERT_OK(guest.Finish());
  const ks_vcpu_row* vcpu = VcpusIn(slot)[0];
  ASSERT_OK(tables().Release(slot));
  EXPECT_TRUE(AllZero(&VmRow(slot), sizeof(ks_vm_row)));
  EXPECT_TRUE(AllZero(vcpu, sizeof(ks_vcpu_row)));
  EXPECT_TRUE(AllZero(&tables().sets_of(slot), sizeof(ks_kvm_sets)));
  EXPECT_TRUE(absl::IsNotFound(tables().Release(slot)));
}

// As it is kept while processes of the VM live on.
TEST_F(ReleaseTest, ARetiredVmKeepsItsSlotAlone) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --count 500 --then exit"));
  const Slot slot = SlotOf(guest.pid());
  ASSERT_OK(guest.Begin());
  ASSERT_OK(guest.Finish());
  const ks_vcpu_row* vcpu = VcpusIn(slot)[0];
  const uint64_t serial = VmRow(slot).serial;
  for (int times = 0; times < 2; ++times) tables().Retire(slot);
  EXPECT_EQ(VmRow(slot).state, static_cast<uint32_t>(KS_VM_DEAD));
  EXPECT_EQ(VmRow(slot).serial, serial);
  EXPECT_TRUE(AllZero(vcpu, sizeof(ks_vcpu_row)));
  ASSERT_OK_AND_ASSIGN(Guest next, Guest::Start("--behaviour pio --count 1 --then exit"));
  EXPECT_NE(SlotOf(next.pid()), slot);
  ASSERT_OK(tables().Release(slot));
  EXPECT_TRUE(AllZero(&VmRow(slot), sizeof(ks_vm_row)));
  ASSERT_OK(next.Begin());
  ASSERT_OK(next.Finish());
  EXPECT_EQ(CountsOf(next.pid()).count[KS_METER_PIO], 1U);
}

// The dead is released only when the next is there already, most often at its address.
TEST_F(ReleaseTest, ReleasingADeadVmDoesNotDisturbTheOneAtItsAddress) {
  Load();
  std::optional<Slot> dead;
  int at_its_address = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK_AND_ASSIGN(Guest guest,
                         Guest::Start("--behaviour pio --vcpus 2 --count 400 --then exit"));
    const Slot slot = SlotOf(guest.pid());
    if (dead) {
      at_its_address += VmRow(*dead).state == KS_VM_REPLACED ? 1 : 0;
      ASSERT_OK(tables().Release(*dead));
    }
    ASSERT_OK(guest.Begin());
    ASSERT_OK(guest.Finish());
    EXPECT_EQ(CountsOf(guest.pid()).count[KS_METER_PIO], 800U);
    dead = slot;
  }
  EXPECT_GT(at_its_address, 0) << "no address was reused: proves nothing";
  ExpectNoLosses();
}

TEST_F(ReleaseTest, SlotsAreConserved) {
  Load();
  ASSERT_OK_AND_ASSIGN(const std::vector<ks_open_file> others, probe().WalkOpenFiles());
  sources_.reset();
  const auto taken = static_cast<uint32_t>(others.size());  // at most: a file each
  options_.sizes = {.max_vms = taken + 4, .max_vcpus = taken + 8, .ring_bytes = 1 << 16};
  Load();
  ASSERT_OK(probe().WalkOpenFiles());
  for (int i = 0; i < 10; ++i) {
    ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                         RunGuest("--behaviour pio --vms 4 --vcpus 2 --count 50 --then exit"));
    const std::vector<Slot> slots = SlotsOf(guest.pid);
    ASSERT_EQ(slots.size(), 4U) << "round " << i;
    for (const Slot slot : slots) {
      EXPECT_EQ(CountsIn(slot).count[KS_METER_PIO], 100U);
      ASSERT_OK(tables().Release(slot));
    }
  }
  ExpectNoLosses();
}

// Told dead by mistake, a VM comes back under a new serial at its next occurrence.
TEST_F(ReleaseTest, AVmThatIsReleasedAliveIsMetAgain) {
  Load();
  ASSERT_OK_AND_ASSIGN(Guest guest, Guest::Start("--behaviour pio --count 400 --then exit"));
  const Slot slot = SlotOf(guest.pid());
  const VmId before = VmIn(slot);
  ASSERT_OK(tables().Release(slot));
  EXPECT_TRUE(SlotsOf(guest.pid()).empty());
  ASSERT_OK(guest.Begin());
  ASSERT_OK(guest.Finish());
  const KvmCounts counts = CountsOf(guest.pid());
  EXPECT_NE(counts.vm, before);
  EXPECT_EQ(counts.count[KS_METER_PIO], 400U);
  EXPECT_EQ(VmRow(counts.slot).born_seen, 0U);
  ExpectNoLosses();
}

// What a daemon leaves that was killed while it released: a row that is marked already, and slots
// that are in no queue.
TEST_F(ReleaseTest, SlotsThatAKilledRunWasAboutToFreeAreFreeForTheNext) {
  options_.sizes = {.max_vms = 64, .max_vcpus = 128, .ring_bytes = 1 << 16};
  Load();
  ASSERT_OK_AND_ASSIGN(const FinishedGuest dead,
                       RunGuest("--behaviour pio --vcpus 2 --count 50 --then exit"));
  ASSERT_OK_AND_ASSIGN(Guest alive, Guest::Start("--behaviour pio --count 70 --then exit"));
  const Slot slot = SlotOf(dead.pid);
  ks_vm_row row = VmRow(slot);
  row.state = KS_VM_DEAD;
  const Fd vms(bpf_obj_get((options_.pin_root + "/kvm/vms").c_str()));
  ASSERT_EQ(bpf_map_update_elem(vms.get(), &slot, &row, BPF_ANY), 0);
  for (const char* name : {"/kvm/free_vm_slots", "/kvm/free_vcpu_slots"}) {
    const Fd queue(bpf_obj_get((options_.pin_root + name).c_str()));
    Slot taken = 0;
    while (bpf_map_lookup_and_delete_elem(queue.get(), nullptr, &taken) == 0) continue;
  }
  sources_.reset();
  Load();
  EXPECT_TRUE(SlotsOf(dead.pid).empty());
  ASSERT_OK_AND_ASSIGN(const FinishedGuest next,
                       RunGuest("--behaviour pio --vms 40 --count 60 --then exit"));
  const std::vector<Slot> slots = SlotsOf(next.pid);
  ASSERT_EQ(slots.size(), 40U);
  for (const Slot used : slots) EXPECT_EQ(CountsIn(used).count[KS_METER_PIO], 60U);
  ASSERT_OK(alive.Begin());
  ASSERT_OK(alive.Finish());
  EXPECT_EQ(CountsOf(alive.pid()).count[KS_METER_PIO], 70U);
  EXPECT_EQ(tables().losses().no_vm_slot, 0U);
  EXPECT_EQ(tables().losses().no_vcpu_slot, 0U);
}

}  // namespace
}  // namespace kvmsentry
