#include "tests/vmm/vcpu.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

// KVM_RUN once, before which PREPARE sets what vCPU and VMM share. The result is the system call's.
absl::StatusOr<int> RunVcpu(const TestMachine& machine, void (*prepare)(kvm_run&)) {
  const int size = ioctl(Fd(open("/dev/kvm", O_RDWR | O_CLOEXEC)).get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < 0) return absl::ErrnoToStatus(errno, "KVM_GET_VCPU_MMAP_SIZE");
  const auto bytes = static_cast<size_t>(size);
  void* shared = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vm.vcpu(), 0);
  if (shared == MAP_FAILED) return absl::ErrnoToStatus(errno, "mapping the vCPU");
  prepare(*static_cast<kvm_run*>(shared));
  const int result = ioctl(machine.vm.vcpu(), KVM_RUN, 0) < 0 ? -errno : 0;
  munmap(shared, bytes);
  return result;
}

// Left before the guest's first instruction.
void Interrupt(kvm_run& shared) { shared.immediate_exit = 1; }

// Says that registers are there which KVM knows nothing of.
void Spoil(kvm_run& shared) { shared.kvm_valid_regs = ~0ULL; }

void Leave(kvm_run& /*shared*/) {}

// From where a vCPU begins, there is no memory.
absl::StatusOr<Operation> RunNowhere(const TestMachine& machine) {
  return [&machine] { return RunVcpu(machine, Leave).status(); };
}

// An invalid instruction, and nobody to handle it.
absl::StatusOr<Operation> TripleFault(const TestMachine& machine) {
  return [&machine] {
    machine.memory->bytes()[0] = std::byte{0x0f};
    machine.memory->bytes()[1] = std::byte{0x0b};  // ud2
    kvm_sregs sregs{};
    kvm_regs regs{};
    regs.rflags = 2;
    if (ioctl(machine.vm.vcpu(), KVM_GET_SREGS, &sregs) < 0) {
      return absl::ErrnoToStatus(errno, "KVM_GET_SREGS");
    }
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    sregs.idt.limit = 0;
    if (ioctl(machine.vm.vcpu(), KVM_SET_SREGS, &sregs) < 0 ||
        ioctl(machine.vm.vcpu(), KVM_SET_REGS, &regs) < 0) {
      return absl::ErrnoToStatus(errno, "setting the vCPU's registers");
    }
    return RunVcpu(machine, Leave).status();
  };
}

// RESULT is ERROR, as it should be.
absl::Status Expect(int error, const absl::StatusOr<int>& result) {
  KVMSENTRY_RETURN_IF_ERROR(result.status());
  if (*result == 0) return absl::InternalError("KVM_RUN succeeded, which it should not");
  return *result == -error ? absl::OkStatus() : absl::ErrnoToStatus(-*result, "KVM_RUN");
}

absl::StatusOr<Operation> RunInterrupted(const TestMachine& machine) {
  return [&machine] { return BeginGuest(machine); };
}

// With what KVM refuses.
absl::StatusOr<Operation> RunRefused(const TestMachine& machine) {
  return [&machine] { return Expect(EINVAL, RunVcpu(machine, Spoil)); };
}

constexpr std::array kWithVcpu = {
    KnownOperation{"run-nowhere", RunNowhere},
    KnownOperation{"triple-fault", TripleFault},
    KnownOperation{"run-interrupted", RunInterrupted},
    KnownOperation{"run-refused", RunRefused},
};

}  // namespace

absl::Status BeginGuest(const TestMachine& machine) {
  return Expect(EINTR, RunVcpu(machine, Interrupt));
}

std::span<const KnownOperation> VcpuOperations() { return kWithVcpu; }

}  // namespace kvmsentry
