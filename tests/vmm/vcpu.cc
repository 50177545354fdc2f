#include "tests/vmm/vcpu.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "sensor/base/fd.h"
#include "tests/guest/cpuid_list.h"
#include "tests/vmm/act.h"

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

// Runs CODE, of 16 bits, at the beginning of the guest's memory, where nothing handles faults.
absl::Status RunCode(const TestMachine& machine, std::span<const uint8_t> code) {
  std::memcpy(machine.memory->bytes().data(), code.data(), code.size());
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
}

// A child of the VMM's tries what KVM lets the VMM alone do.
absl::StatusOr<Operation> RunByChild(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [&machine] {
    return InChild([&machine] { return ioctl(machine.vm.vcpu(), KVM_RUN, 0) < 0 && errno == EIO; });
  };
}

// An invalid instruction, and nobody to handle it.
absl::StatusOr<Operation> TripleFault(const TestMachine& machine) {
  static constexpr std::array<uint8_t, 2> kUd2 = {0x0f, 0x0b};
  return [&machine] { return RunCode(machine, kUd2); };
}

// What a guest of Hyper-V writes to HV_X64_MSR_CRASH_CTL when it has crashed: CrashNotify.
constexpr std::array<uint8_t, 18> kSayCrashed = {
    0x66, 0xb9, 0x05, 0x01, 0x00, 0x40,  // mov ecx, 0x40000105
    0x66, 0x31, 0xc0,                    // xor eax, eax
    0x66, 0xba, 0x00, 0x00, 0x00, 0x80,  // mov edx, 0x80000000
    0x0f, 0x30,                          // wrmsr
    0xf4,                                // hlt
};

absl::StatusOr<Operation> PanicByHyperV(const TestMachine& machine) {
  return [&machine]() -> absl::Status {
    KVMSENTRY_RETURN_IF_ERROR(ShowHyperV(machine));
    return RunCode(machine, kSayCrashed);
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
    KnownOperation{"run-by-child", RunByChild},
    KnownOperation{"run-nowhere", RunNowhere},
    KnownOperation{"triple-fault", TripleFault},
    KnownOperation{"panic-hyper-v", PanicByHyperV},
    KnownOperation{"run-interrupted", RunInterrupted},
    KnownOperation{"run-refused", RunRefused},
};

}  // namespace

absl::Status ShowHyperV(const TestMachine& machine) {
  guest::CpuidList<2> leaves{.size = 2};
  leaves.entries[0].function = 0x40000000;
  leaves.entries[0].eax = 0x40000001;
  leaves.entries[1].function = 0x40000001;
  leaves.entries[1].eax = 0x31237648;  // "Hv#1"
  if (ioctl(machine.vm.vcpu(), guest::kSetCpuid2, &leaves) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "KVM_SET_CPUID2");
}

absl::Status BeginGuest(const TestMachine& machine) {
  return Expect(EINTR, RunVcpu(machine, Interrupt));
}

std::span<const KnownOperation> VcpuOperations() { return kWithVcpu; }

}  // namespace kvmsentry
