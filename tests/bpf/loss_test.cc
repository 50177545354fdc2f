// Losses: what finds no room is counted by reason, and costs nobody else anything.
#include <algorithm>
#include <set>

#include "tests/bpf/fixture.h"

namespace kvmsentry {
namespace {

class LossTest : public BpfTest {
 protected:
  // Tables with room for the VMs that run on the host already, and for so many more.
  void LoadWithRoom(uint32_t vms, uint32_t vcpus) {
    // Port accesses and returns, which a guest counts itself, are all that is to be lost.
    std::map<std::string, std::vector<Variant>> hooks;
    for (const Hook& hook : Hooks()) {
      if (hook.bpf == "exit" || hook.bpf == "inject") hooks[std::string(hook.name)] = {};
    }
    std::set<uint64_t> other_vms;
    std::set<uint64_t> other_vcpus;
    Load(hooks);
    ASSERT_OK_AND_ASSIGN(const std::vector<ks_open_file> files, probe().WalkOpenFiles());
    for (const ks_open_file& file : files) {
      other_vms.insert(file.kvm);
      if (file.vcpu != 0) other_vcpus.insert(file.vcpu);
    }
    sources_.reset();
    options_.sizes.max_vms = static_cast<uint32_t>(other_vms.size()) + vms;
    options_.sizes.max_vcpus = static_cast<uint32_t>(other_vcpus.size()) + vcpus;
    Load(hooks);
    ASSERT_OK(probe().WalkOpenFiles());
    ExpectNoLosses();
  }
};

TEST_F(LossTest, AVmTooManyIsCountedAsLostAndTheFirstStaysExact) {
  LoadWithRoom(1, 8);
  ASSERT_OK_AND_ASSIGN(Guest watched, Guest::Start("--behaviour pio --count 700 --then exit"));
  ASSERT_OK_AND_ASSIGN(const FinishedGuest unwatched,
                       RunGuest("--behaviour pio --count 500 --then exit"));
  ASSERT_OK(watched.Begin());
  ASSERT_OK(watched.Finish());
  EXPECT_TRUE(SlotsOf(unwatched.pid).empty());
  EXPECT_EQ(CountsOf(watched.pid()).count[KS_METER_PIO], 700U);
  const auto& losses = tables().losses();
  // Its birth, and each of its occurrences.
  EXPECT_EQ(losses.no_vm_slot, 1 + 500 + unwatched.report.vcpus[0].Exits());
  EXPECT_EQ(losses.no_vcpu_slot, 0U);
  EXPECT_EQ(losses.unattributed, 0U);
  EXPECT_EQ(losses.table_update, 0U);
}

TEST_F(LossTest, AVcpuTooManyIsCountedAsLostAndTheFirstStaysExact) {
  LoadWithRoom(4, 2);
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour pio --vcpus 3 --count 500 --then exit"));
  const Slot slot = SlotOf(guest.pid);
  const auto vcpus = VcpusIn(slot);
  ASSERT_EQ(vcpus.size(), 2U);
  for (const ks_vcpu_row* vcpu : vcpus) EXPECT_EQ(vcpu->meters[KS_METER_PIO].count, 500U);
  const auto& losses = tables().losses();
  EXPECT_EQ(losses.no_vcpu_slot, 1 + 500 + guest.report.vcpus[2].Exits());
  EXPECT_EQ(losses.no_vm_slot, 0U);
  EXPECT_EQ(losses.unattributed, 0U);
}

// A VM takes over the address of one that is gone and not yet released, and finds no slot: what it
// does must not land on the dead one.
TEST_F(LossTest, AVmTooManyAtTheAddressOfADeadOneIsLostNotMisattributed) {
  constexpr int kDead = 2;
  LoadWithRoom(kDead, 64);
  std::vector<FinishedGuest> dead;
  for (int i = 0; i < kDead; ++i) {
    ASSERT_OK_AND_ASSIGN(FinishedGuest guest, RunGuest("--behaviour pio --count 300 --then exit"));
    dead.push_back(std::move(guest));
  }
  const auto replaced = [&] {
    return std::ranges::any_of(dead, [&](const FinishedGuest& guest) {
      return VmRow(SlotOf(guest.pid)).state == KS_VM_REPLACED;
    });
  };
  uint64_t lost = 0;
  // With more vCPUs, so that some are at addresses of their own; and for as long as other VMs of
  // this host take the addresses that have become free.
  for (int i = 0; i < 20 || (i < 500 && !replaced()); ++i) {
    ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                         RunGuest("--behaviour pio --vcpus 2 --count 100 --then exit"));
    EXPECT_TRUE(SlotsOf(guest.pid).empty());
    for (const GuestVcpu& vcpu : guest.report.vcpus) lost += 1 + 100 + vcpu.Exits();
  }
  for (const FinishedGuest& guest : dead) {
    const Slot slot = SlotOf(guest.pid);
    EXPECT_EQ(CountsIn(slot).count[KS_METER_PIO], 300U);
    EXPECT_EQ(CountsIn(slot).vcpus, 1U);
  }
  EXPECT_TRUE(replaced()) << "no address was reused: proves nothing";
  EXPECT_EQ(tables().losses().no_vm_slot, lost);
  EXPECT_EQ(tables().losses().unattributed, 0U);
  // With a slot free again, the next one is watched.
  for (const FinishedGuest& guest : dead) ASSERT_OK(tables().Release(SlotOf(guest.pid)));
  ASSERT_OK_AND_ASSIGN(const FinishedGuest next,
                       RunGuest("--behaviour pio --vcpus 2 --count 100 --then exit"));
  EXPECT_EQ(CountsOf(next.pid).count[KS_METER_PIO], 200U);
}

}  // namespace
}  // namespace kvmsentry
