// Registers of a vCPU that its VMM changes: noted once the vCPU has run with them.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "absl/strings/match.h"

#include "sensor/source/kvm/members.h"
#include "tests/bpf/fixture.h"
#include "tests/support/one_msr.h"
#include "tests/support/test_vm.h"

namespace kvmsentry {
namespace {

constexpr size_t kMemory = 1 << 20;
constexpr uint64_t kHalts = 64;  // of the code below

class RewriteTest : public BpfTest, public ::testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    objects_ = {"life", "exit", "rewrite", "userspace"};
    Load({{"kvm_arch_vcpu_ioctl_set_regs", {GetParam()}}});
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(TestMemory memory, TestMemory::Map(kMemory));
    memory_.emplace(std::move(memory));
    std::fill_n(memory_->bytes().begin(), kHalts, std::byte{0xf4});  // hlt
    ASSERT_OK_AND_ASSIGN(TestVm vm, TestVm::Create(*memory_));
    vm_.emplace(std::move(vm));
    const int size = ioctl(Kvm(), KVM_GET_VCPU_MMAP_SIZE, 0);
    run_ = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, vm_->vcpu(),
                0);
    ASSERT_NE(run_, MAP_FAILED);
    kvm_sregs sregs{};
    ASSERT_EQ(ioctl(vm_->vcpu(), KVM_GET_SREGS, &sregs), 0);
    sregs.cs.base = sregs.cs.selector = 0;
    ASSERT_EQ(ioctl(vm_->vcpu(), KVM_SET_SREGS, &sregs), 0);
    kvm_regs regs{};
    regs.rflags = 2;
    ASSERT_EQ(ioctl(vm_->vcpu(), KVM_SET_REGS, &regs), 0);
    slot_ = SlotOf(getpid());
  }

  static int Kvm() {
    static const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
    return kvm.get();
  }

  void Run() { ASSERT_EQ(ioctl(vm_->vcpu(), KVM_RUN, 0), 0) << strerror(errno); }

  kvm_regs Registers() {
    kvm_regs regs{};
    EXPECT_EQ(ioctl(vm_->vcpu(), KVM_GET_REGS, &regs), 0);
    return regs;
  }
  // Where a system call enters the guest's kernel.
  uint64_t Entry() {
    OneMsr lstar(kLstar);
    EXPECT_EQ(GetMsr(vm_->vcpu(), &lstar), 1);
    return lstar.entry.data;
  }
  void SetEntry(uint64_t entry) {
    OneMsr lstar(kLstar);
    lstar.entry.data = entry;
    ASSERT_EQ(SetMsr(vm_->vcpu(), &lstar), 1);
  }
  void Set(const kvm_regs& regs) { ASSERT_EQ(ioctl(vm_->vcpu(), KVM_SET_REGS, &regs), 0); }

  // Since they were asked for last.
  uint64_t Rewritten() {
    for (const KvmTables::Members& members : tables().TakeMembers()) {
      if (members.slot == slot_) return members.rewritten;
    }
    return 0;
  }
  uint64_t Resets() { return CountsIn(slot_).count[KS_METER_RESET]; }

  std::optional<TestMemory> memory_;
  std::optional<TestVm> vm_;
  void* run_ = MAP_FAILED;
  Slot slot_ = 0;
};

INSTANTIATE_TEST_SUITE_P(By, RewriteTest, ::testing::Values(Variant::kFentry, Variant::kKprobe),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

TEST_P(RewriteTest, WhatIsSetBeforeTheFirstRunIsItsStart) {
  Run();
  Run();
  EXPECT_EQ(Rewritten(), 0U);
  EXPECT_EQ(Resets(), 0U);
  ExpectNoLosses();
}

TEST_P(RewriteTest, WhatIsWrittenBackAsItWasIsNothing) {
  Run();
  kvm_sregs sregs{};
  ASSERT_EQ(ioctl(vm_->vcpu(), KVM_GET_SREGS, &sregs), 0);
  Set(Registers());
  ASSERT_EQ(ioctl(vm_->vcpu(), KVM_SET_SREGS, &sregs), 0);
  Run();
  EXPECT_EQ(Rewritten(), 0U);
}

TEST_P(RewriteTest, EachKindIsNotedOnceItRan) {
  Run();
  kvm_regs regs = Registers();
  regs.rsp += 8;
  Set(regs);
  EXPECT_EQ(Rewritten(), 0U);
  Run();
  EXPECT_EQ(Rewritten(), 1U << KS_REGISTERS_STACK);
  regs = Registers();
  regs.rip += 1;
  Set(regs);
  Run();
  EXPECT_EQ(Rewritten(), 1U << KS_REGISTERS_INSTRUCTION);
  regs = Registers();
  regs.r15 = 15;
  Set(regs);
  Run();
  EXPECT_EQ(Rewritten(), 1U << KS_REGISTERS_GENERAL);
  kvm_sregs sregs{};
  ASSERT_EQ(ioctl(vm_->vcpu(), KVM_GET_SREGS, &sregs), 0);
  sregs.cr3 = 0x1000;
  sregs.cr4 |= 1 << 5;  // PAE
  ASSERT_EQ(ioctl(vm_->vcpu(), KVM_SET_SREGS, &sregs), 0);
  Run();
  EXPECT_EQ(Rewritten(), 1U << KS_REGISTERS_PAGE_TABLE | 1U << KS_REGISTERS_CONTROL);
  EXPECT_EQ(Resets(), 0U);
  ExpectNoLosses();
}

TEST_P(RewriteTest, AnotherEntryOfSystemCallsIsNotedOnceItRan) {
  SetEntry(0x1000);
  Run();
  SetEntry(Entry());
  Run();
  EXPECT_EQ(Rewritten(), 0U);
  SetEntry(0x2000);
  Run();
  EXPECT_EQ(Rewritten(), 1U << KS_REGISTERS_ENTRY);
  ExpectNoLosses();
}

// On Linux 6.1 the second version of the ioctl has no function that could be hooked.
TEST_P(RewriteTest, TheSecondVersionIsSeenWhereItHasAFunction) {
  std::ifstream symbols("/proc/kallsyms");
  const std::string all(std::istreambuf_iterator<char>(symbols), {});
  const bool has_function = absl::StrContains(all, " kvm_vcpu_ioctl_x86_set_sregs2\t");
  Run();
  kvm_sregs2 sregs{};
  ASSERT_EQ(ioctl(vm_->vcpu(), KVM_GET_SREGS2, &sregs), 0);
  sregs.cr3 = 0x1000;
  ASSERT_EQ(ioctl(vm_->vcpu(), KVM_SET_SREGS2, &sregs), 0);
  Run();
  EXPECT_EQ(Rewritten(), has_function ? 1U << KS_REGISTERS_PAGE_TABLE : 0U);
}

// KVM_CAP_SYNC_REGS: KVM_RUN takes registers from the shared page.
TEST_P(RewriteTest, WhatKvmRunTakesFromTheSharedPageIsSeen) {
  auto* run = static_cast<kvm_run*>(run_);
  run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
  Run();
  run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
  Run();
  EXPECT_EQ(Rewritten(), 0U);
  run->s.regs.regs.rsp += 8;
  run->s.regs.sregs.cr3 = 0x1000;
  run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
  Run();
  EXPECT_EQ(Rewritten(), 1U << KS_REGISTERS_STACK | 1U << KS_REGISTERS_PAGE_TABLE);
}

TEST_P(RewriteTest, AResetChangesRegistersAndIsCounted) {
  Run();
  kvm_regs regs = Registers();
  regs.rip = 0;
  regs.rsp = 0x100;
  Set(regs);
  kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
  ASSERT_EQ(ioctl(vm_->vcpu(), KVM_SET_MP_STATE, &runnable), 0);
  Run();
  EXPECT_EQ(Rewritten(), 0U);
  EXPECT_EQ(Resets(), 1U);
}

}  // namespace
}  // namespace kvmsentry
