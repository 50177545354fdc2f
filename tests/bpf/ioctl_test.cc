// Ioctls on VMs and vCPUs: each is counted once, for its VM, by whatever entry it came.
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "sensor/source/kvm/members.h"
#include "tests/bpf/fixture.h"
#include "tests/support/host.h"
#include "tests/support/test_vm.h"

namespace kvmsentry {
namespace {

constexpr int kTimes = 300;
constexpr size_t kMemory = 1 << 20;

// An ioctl by the entry of 32-bit programs, which 64-bit ones have as well. ARGUMENT lies below
// 4 GiB.
long CompatIoctl(int fd, unsigned long command, uintptr_t argument) {
  constexpr long kNrIoctl = 54;  // arch/x86/entry/syscalls/syscall_32.tbl
  long result = 0;
  asm volatile("int $0x80"
               : "=a"(result)
               : "a"(kNrIoctl), "b"(static_cast<long>(fd)), "c"(command), "d"(argument)
               : "memory", "r8", "r9", "r10", "r11");
  return result;
}

uint32_t Number(absl::string_view name) {
  return static_cast<uint32_t>(MemberByName(kKvmIoctl, name).value());
}

class IoctlTest : public BpfTest, public ::testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    objects_ = {"life", "ioctl"};
    Load({{"kvm_vm_ioctl", {GetParam()}}});
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(TestMemory memory, TestMemory::Map(kMemory));
    memory_.emplace(std::move(memory));
    ASSERT_OK_AND_ASSIGN(TestVm vm, TestVm::Create(*memory_, true));
    vm_.emplace(std::move(vm));
    slot_ = SlotOf(getpid());
    tables().TakeMembers();
    made_ = Counted();  // those that made it
  }

  uint64_t Counted() { return CountsIn(slot_).count[KS_METER_IOCTL]; }
  uint64_t Grown() { return Counted() - made_; }

  std::vector<uint32_t> Commands() {
    for (const KvmTables::Members& members : tables().TakeMembers()) {
      if (members.slot == slot_) return members.ioctls;
    }
    return {};
  }

  std::optional<TestMemory> memory_;
  std::optional<TestVm> vm_;
  Slot slot_ = 0;
  uint64_t made_ = 0;
};

#ifdef KVMSENTRY_TEST_FUNCTIONS
constexpr Variant kVariants[] = {Variant::kFentry, Variant::kKprobe, Variant::kSysEnter};
#else
constexpr Variant kVariants[] = {Variant::kSysEnter};
#endif
INSTANTIATE_TEST_SUITE_P(By, IoctlTest, ::testing::ValuesIn(kVariants),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

TEST_P(IoctlTest, OnTheVmAndItsVcpusAreCountedAndNamed) {
  kvm_clock_data clock{};
  kvm_regs regs{};
  for (int i = 0; i < kTimes; ++i) {
    ASSERT_EQ(ioctl(vm_->vm(), KVM_GET_CLOCK, &clock), 0);
    ASSERT_EQ(ioctl(vm_->vcpu(), KVM_GET_REGS, &regs), 0);
  }
  EXPECT_EQ(Grown(), 2U * kTimes);
  EXPECT_THAT(Commands(), ::testing::ElementsAre(Number("vm:GET_CLOCK"), Number("vcpu:GET_REGS")));
  EXPECT_THAT(Commands(), ::testing::IsEmpty());
  ExpectNoLosses();
}

// Of a VM as a whole, from several threads at once: told at its very count, as a vCPU's is.
TEST_P(IoctlTest, ABurstIsToldAtTheFirstIoctlAboveTheLimit) {
  constexpr uint64_t kMost = 100;
  tables().SetLimits(slot_, std::vector<Limit>{{.meter = {SourceId::kKvm, KS_METER_IOCTL},
                                                .count = kMost,
                                                .window_ns = 40 * kNsPerSecond}});
  kvm_clock_data clock{};
  for (uint64_t i = 0; i < kMost; ++i) ASSERT_EQ(ioctl(vm_->vm(), KVM_GET_CLOCK, &clock), 0);
  EXPECT_TRUE(TakeLimitRecords(VmIn(slot_)).empty());
  ASSERT_EQ(ioctl(vm_->vm(), KVM_GET_CLOCK, &clock), 0);
  const auto records = TakeLimitRecords(VmIn(slot_));
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].meter, static_cast<uint32_t>(KS_METER_IOCTL));
  EXPECT_EQ(records[0].counted, kMost + 1);
  EXPECT_EQ(records[0].max, kMost);
}

TEST_P(IoctlTest, ByTheEntryOf32BitProgramsCountOnce) {
  void* low =
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  ASSERT_NE(low, MAP_FAILED);
  const auto argument = reinterpret_cast<uintptr_t>(low);
  for (int i = 0; i < kTimes; ++i) {
    // KVM hands the first on to the 64-bit function, and serves the other two itself.
    ASSERT_EQ(CompatIoctl(vm_->vm(), KVM_GET_CLOCK, argument), 0);
    ASSERT_LT(CompatIoctl(vm_->vm(), KVM_GET_DIRTY_LOG, argument), 0);  // it logs nothing
    ASSERT_EQ(CompatIoctl(vm_->vcpu(), 0x4004ae8b, 0), 0);  // KVM_SET_SIGNAL_MASK, as it is in C
  }
  munmap(low, 4096);
  EXPECT_EQ(Grown(), 3U * kTimes);
  EXPECT_THAT(Commands(), ::testing::ElementsAre(Number("vm:GET_DIRTY_LOG"), Number("vm:GET_CLOCK"),
                                                 Number("vcpu:SET_SIGNAL_MASK")));
}

// The only device of x86: what a VM is given by VFIO.
TEST_P(IoctlTest, OnADeviceOfTheVmAreItsOwn) {
  kvm_create_device create{};
  create.type = KVM_DEV_TYPE_VFIO;
  ASSERT_EQ(ioctl(vm_->vm(), KVM_CREATE_DEVICE, &create), 0) << "this KVM has no device for VFIO";
  const Fd device(static_cast<int>(create.fd));
  made_ = Counted();
  tables().TakeMembers();
  kvm_device_attr attribute{};
  attribute.group = KVM_DEV_VFIO_GROUP;
  attribute.attr = KVM_DEV_VFIO_GROUP_ADD;
  for (int i = 0; i < kTimes; ++i) {
    ASSERT_EQ(ioctl(device.get(), KVM_HAS_DEVICE_ATTR, &attribute), 0);
  }
  EXPECT_EQ(Grown(), static_cast<uint64_t>(kTimes));
  EXPECT_THAT(Commands(), ::testing::ElementsAre(Number("device:HAS_DEVICE_ATTR")));
  ExpectNoLosses();
}

TEST_P(IoctlTest, RefusedOnesCountRunsAndForeignCommandsDoNot) {
  for (int i = 0; i < kTimes; ++i) {
    ASSERT_EQ(ioctl(vm_->vm(), KVM_GET_REGS, nullptr), -1);  // a vCPU's
    ASSERT_EQ(ioctl(vm_->vm(), FIONREAD, nullptr), -1);
    ASSERT_EQ(ioctl(0, KVM_GET_REGS, nullptr), -1);
  }
  EXPECT_EQ(Grown(), static_cast<uint64_t>(kTimes));
  ASSERT_OK_AND_ASSIGN(const FinishedGuest guest,
                       RunGuest("--behaviour userspace-exit --count 3000 --then exit"));
  // Only what makes its vCPU.
  EXPECT_LT(CountsOf(guest.pid).count[KS_METER_IOCTL], 16U);
}

TEST_P(IoctlTest, OfAnyThreadAndOfTwoVmsDoNotMix) {
  ASSERT_OK_AND_ASSIGN(const TestVm other, TestVm::Create(*memory_));
  const std::vector<Slot> slots = SlotsOf(getpid());
  ASSERT_EQ(slots.size(), 2U);
  const uint64_t before = CountsIn(slots[1]).count[KS_METER_IOCTL];
  const auto ask = [](int fd, int times) {
    kvm_clock_data clock{};
    for (int i = 0; i < times; ++i) ioctl(fd, KVM_GET_CLOCK, &clock);
  };
  const auto skipped = [this] {
    const Probe::Skipped runs = probe().SkippedRuns();
    return runs.vms + runs.anybodys;
  };
  const uint64_t skipped_before = skipped();
  std::thread mine(ask, vm_->vm(), 5000);
  std::thread others(ask, other.vm(), 7000);
  mine.join();
  others.join();
  const uint64_t others_grown = CountsIn(slots[1]).count[KS_METER_IOCTL] - before;
  if (!KernelPreemptsPrograms() || GetParam() == Variant::kKprobe) {
    EXPECT_EQ(Grown(), 5000U);
    EXPECT_EQ(others_grown, 7000U);
    return;
  }
  // What is not counted was skipped for one thread while the other was preempted, and said to be.
  EXPECT_LE(Grown(), 5000U);
  EXPECT_LE(others_grown, 7000U);
  EXPECT_GE(Grown() + others_grown + skipped() - skipped_before, 12'000U);
}

}  // namespace
}  // namespace kvmsentry
