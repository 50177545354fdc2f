#include "sensor/probe/canary_vm.h"

#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "sensor/probe/mapped_rows.h"

namespace kvmsentry {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr uint8_t kLastPort = 0x81;
constexpr int kMostRuns = 16;
constexpr time_t kGiveUpSeconds = 2;
constexpr int kInterrupt = SIGURG;  // ignored by default, so a late one does no harm

// In real mode, where a vCPU begins.
constexpr std::array<uint8_t, 28> kCode = {
    0xe6, 0x80,                               // out 0x80, al
    0x66, 0xb9,      0x1b, 0x00, 0x00, 0x00,  // mov ecx, IA32_APIC_BASE
    0x0f, 0x32,                               // rdmsr
    0x0f, 0x20,      0xe0,                    // mov eax, cr4
    0x0f, 0x22,      0xe0,                    // mov cr4, eax
    0x0f, 0x20,      0xc0,                    // mov eax, cr0
    0x0f, 0x22,      0xc0,                    // mov cr0, eax
    0xa0, 0x00,      0x20,                    // mov al, [0x2000]: where there is no memory
    0xe6, kLastPort,                          // out 0x81, al
    0xf4,                                     // hlt
};

absl::Status Failed(absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("the canary VM: ", what));
}

// Interrupts the system calls of this thread after kGiveUpSeconds, and every 10 ms from then on:
// the first may come between two calls.
class Alarm {
 public:
  Alarm() {
    struct sigaction action {};
    action.sa_handler = [](int /*signal*/) {};
    sigaction(kInterrupt, &action, &before_);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = kInterrupt;
    event._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    armed_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    const itimerspec spec{.it_interval = {.tv_sec = 0, .tv_nsec = 10'000'000},
                          .it_value = {.tv_sec = kGiveUpSeconds, .tv_nsec = 0}};
    if (armed_) timer_settime(timer_, 0, &spec, nullptr);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() {
    if (armed_) timer_delete(timer_);
    sigaction(kInterrupt, &before_, nullptr);
  }

 private:
  struct sigaction before_ {};
  timer_t timer_{};
  bool armed_ = false;
};

absl::Status SetUp(int vm, int vcpu, uint64_t page) {
  kvm_userspace_memory_region region{};
  region.memory_size = kPageBytes;
  region.userspace_addr = page;
  if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) != 0) {
    return Failed("KVM_SET_USER_MEMORY_REGION");
  }
  kvm_sregs sregs;
  if (ioctl(vcpu, KVM_GET_SREGS, &sregs) != 0) return Failed("KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  if (ioctl(vcpu, KVM_SET_SREGS, &sregs) != 0) return Failed("KVM_SET_SREGS");
  kvm_regs regs{};
  regs.rflags = 2;  // the bit that is always set
  if (ioctl(vcpu, KVM_SET_REGS, &regs) != 0) return Failed("KVM_SET_REGS");
  return absl::OkStatus();
}

// The one kind of KVM's devices that needs nothing of the back end: VFIO's. It is not there in
// every kernel.
void AskADevice(int vm) {
  kvm_create_device device{};
  device.type = KVM_DEV_TYPE_VFIO;
  if (ioctl(vm, KVM_CREATE_DEVICE, &device) != 0) return;
  const Fd made(static_cast<int>(device.fd));
  kvm_device_attr attribute{};
  ioctl(made.get(), KVM_HAS_DEVICE_ATTR, &attribute);
}

// Interrupts that nobody takes: a line, and a message.
void Interrupt(int vm) {
  kvm_irq_level line{};
  line.irq = 5;
  for (line.level = 1; ioctl(vm, KVM_IRQ_LINE, &line) == 0 && line.level == 1;) line.level = 0;
  kvm_msi message{};
  message.address_lo = 0xfee00000;  // the local APICs, SDM vol. 3 11.11.1
  message.data = 0x40;
  ioctl(vm, KVM_SIGNAL_MSI, &message);
}

absl::Status RunToItsEnd(int vcpu, const kvm_run& state) {
  const Alarm alarm;
  for (int runs = 0; runs < kMostRuns; ++runs) {
    if (ioctl(vcpu, KVM_RUN, 0) != 0) {
      if (errno == EINTR) return absl::DeadlineExceededError("the canary VM: it did not end");
      return Failed("KVM_RUN");
    }
    if (state.exit_reason == KVM_EXIT_HLT) return absl::OkStatus();
    if (state.exit_reason == KVM_EXIT_IO && state.io.port == kLastPort) return absl::OkStatus();
    if (state.exit_reason != KVM_EXIT_IO && state.exit_reason != KVM_EXIT_MMIO) {
      return absl::InternalError(
          absl::StrCat("the canary VM: KVM_RUN ended with exit reason ", state.exit_reason));
    }
  }
  return absl::InternalError("the canary VM: it did not come to its end");
}

}  // namespace

absl::Status RunCanaryVm() {
  const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) return Failed("open /dev/kvm");
  void* page =
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return Failed("mmap of its page");
  const MappedRows<uint8_t> memory(static_cast<uint8_t*>(page), kPageBytes);
  std::memcpy(page, kCode.data(), kCode.size());
  const Fd vm(ioctl(kvm.get(), KVM_CREATE_VM, 0));
  if (!vm) return Failed("KVM_CREATE_VM");
  // So that there is something to interrupt. Without them it runs all the same.
  const bool interruptible = ioctl(vm.get(), KVM_CREATE_IRQCHIP, 0) == 0;
  const Fd vcpu(ioctl(vm.get(), KVM_CREATE_VCPU, 0));
  if (!vcpu) return Failed("KVM_CREATE_VCPU");
  const int size = ioctl(kvm.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < static_cast<int>(sizeof(kvm_run))) return Failed("KVM_GET_VCPU_MMAP_SIZE");
  KVMSENTRY_ASSIGN_OR_RETURN(
      const auto shared,
      MappedRows<uint8_t>::Map(vcpu.get(), static_cast<size_t>(size), "of the canary's vCPU"));
  KVMSENTRY_RETURN_IF_ERROR(SetUp(vm.get(), vcpu.get(), std::bit_cast<uint64_t>(page)));
  if (interruptible) Interrupt(vm.get());
  AskADevice(vm.get());
  return RunToItsEnd(vcpu.get(), *std::bit_cast<const kvm_run*>(shared.rows().data()));
}

}  // namespace kvmsentry
