// Interrupts that are raised for a VM: each lands on its own, or on nobody, and then it is said.
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <thread>

#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sensor/base/load.h"
#include "tests/bpf/fixture.h"
#include "tests/support/test_vm.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kTimes = 200;
constexpr uint32_t kLine = 5;
constexpr size_t kMemory = 1 << 20;

class InterruptTest : public BpfTest, public ::testing::WithParamInterface<Variant> {
 protected:
  void SetUp() override {
    BpfTest::SetUp();
    if (HasFatalFailure()) return;
    objects_ = {"life", "interrupt"};
    std::map<std::string, std::vector<Variant>> variants = {{"kvm_set_irq", {GetParam()}}};
    if (GetParam() != Variant::kTpBtf) variants["kvm_set_msi"] = {GetParam()};
    Load(variants);
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(TestMemory memory, TestMemory::Map(kMemory));
    memory_.emplace(std::move(memory));
    // Two, so that one may be taken for the other.
    for (int i = 0; i < 2; ++i) {
      ASSERT_OK_AND_ASSIGN(TestVm vm, TestVm::Create(*memory_, true));
      vms_.push_back(std::move(vm));
    }
    slots_ = SlotsOf(getpid());
    ASSERT_EQ(slots_.size(), 2U);
  }

  bool IsWeakHook() const { return GetParam() == Variant::kTpBtf || GetParam() == Variant::kRawTp; }
  uint64_t Lines(size_t vm) { return CountsIn(slots_[vm]).count[KS_METER_IRQ_LINE]; }
  uint64_t Messages(size_t vm) { return CountsIn(slots_[vm]).count[KS_METER_IRQ_MSI]; }

  void SetLine(int vm, uint32_t level) {
    kvm_irq_level line{};
    line.irq = kLine;
    line.level = level;
    ASSERT_EQ(ioctl(vm, KVM_IRQ_LINE, &line), 0);
  }

  // An eventfd that raises kLine of the VM whenever somebody writes to it.
  static absl::StatusOr<Fd> RaiserOf(const TestVm& vm) {
    Fd event(eventfd(0, EFD_CLOEXEC));
    if (!event) return absl::ErrnoToStatus(errno, "eventfd");
    kvm_irqfd irqfd{};
    irqfd.fd = static_cast<uint32_t>(event.get());
    irqfd.gsi = kLine;
    if (ioctl(vm.vm(), KVM_IRQFD, &irqfd) != 0) return absl::ErrnoToStatus(errno, "KVM_IRQFD");
    return event;
  }
  static bool Raise(const Fd& event) { return eventfd_write(event.get(), 1) == 0; }

  std::optional<TestMemory> memory_;
  std::vector<TestVm> vms_;
  std::vector<Slot> slots_;
};

#ifdef KVMSENTRY_TEST_FUNCTIONS
constexpr Variant kVariants[] = {Variant::kFentry, Variant::kKprobe, Variant::kTpBtf};
#else
constexpr Variant kVariants[] = {Variant::kTpBtf, Variant::kRawTp};
#endif
INSTANTIATE_TEST_SUITE_P(By, InterruptTest, ::testing::ValuesIn(kVariants),
                         [](const auto& test) { return std::string(VariantName(test.param)); });

TEST_P(InterruptTest, LinesSetByAnyThreadAreTheirVms) {
  for (uint32_t i = 0; i < kTimes; ++i) SetLine(vms_[0].vm(), i % 2);
  std::thread([this] {
    for (uint32_t i = 0; i < 3 * kTimes; ++i) SetLine(vms_[1].vm(), i % 2);
  }).join();
  EXPECT_EQ(Lines(0), kTimes);
  EXPECT_EQ(Lines(1), 3 * kTimes);
  EXPECT_EQ(Messages(0) + Messages(1), 0U);
  ExpectNoLosses();
}

TEST_P(InterruptTest, MessagesAreTheirVms) {
  if (GetParam() == Variant::kTpBtf) return;  // it is no variant of this hook
  kvm_msi message{};
  message.address_lo = 0xfee00000;  // the local APIC 0, SDM vol. 3 11.11
  message.data = 0x41;
  for (uint32_t i = 0; i < kTimes; ++i) ASSERT_GE(ioctl(vms_[1].vm(), KVM_SIGNAL_MSI, &message), 0);
  EXPECT_EQ(Messages(1), kTimes);
  EXPECT_EQ(Messages(0), 0U);
  EXPECT_EQ(Lines(0) + Lines(1), 0U);
}

// An eventfd is turned into an interrupt by a worker of the kernel, which belongs to no VM.
TEST_P(InterruptTest, OfAWorkerAreTheirVmsOrNobodys) {
  ASSERT_OK_AND_ASSIGN(const Fd event, RaiserOf(vms_[1]));
  const auto raised = [this] {
    return Lines(1) + kvmsentry::Load(tables().losses().irq_unattributed);
  };
  for (uint64_t i = 1; i <= kTimes; ++i) {
    ASSERT_TRUE(Raise(event));
    ASSERT_TRUE(WaitUntil([&] { return raised() == 2 * i; })) << raised();  // up, and down again
  }
  EXPECT_EQ(Lines(1), IsWeakHook() ? 0U : 2 * kTimes);
  EXPECT_EQ(Lines(0), 0U);
}

// As a device's does: KVM sends the message in the context of whoever writes to the eventfd.
TEST_P(InterruptTest, MessagesOfAnEventfdAreTheirVmsOrNobodys) {
  if (GetParam() == Variant::kTpBtf) return;
  kvm_irq_routing_entry entry{};
  entry.gsi = kLine;
  entry.type = KVM_IRQ_ROUTING_MSI;
  entry.u.msi.address_lo = 0xfee00000;
  entry.u.msi.data = 0x41;
  // struct kvm_irq_routing as it is in C: the number of entries, and flags.
  using RoutingHeader = std::array<uint32_t, 2>;
  const RoutingHeader header = {1, 0};
  alignas(8) std::array<std::byte, sizeof(header) + sizeof(entry)> routing;
  std::memcpy(routing.data(), &header, sizeof(header));
  std::memcpy(routing.data() + sizeof(header), &entry, sizeof(entry));
  ASSERT_EQ(ioctl(vms_[1].vm(), _IOW(KVMIO, 0x6a, RoutingHeader), routing.data()), 0);
  ASSERT_OK_AND_ASSIGN(const Fd event, RaiserOf(vms_[1]));
  for (uint32_t i = 0; i < kTimes; ++i) ASSERT_TRUE(Raise(event));
  EXPECT_EQ(Messages(1), IsWeakHook() ? 0U : kTimes);
  EXPECT_EQ(Messages(0), 0U);
  EXPECT_EQ(kvmsentry::Load(tables().losses().irq_unattributed), IsWeakHook() ? kTimes : 0U);
}

}  // namespace
}  // namespace kvmsentry
