#include "tests/vmm/vm_life.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "sensor/base/fd.h"
#include "tests/vmm/act.h"
#include "tests/vmm/temporary.h"

namespace kvmsentry {
namespace {

// Another VM in this process.
template <bool kRunsProgram>
absl::StatusOr<Operation> SecondVm(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [] {
    static absl::StatusOr<TestMachine> second = TestMachine::Create(kOperationMemory);
    KVMSENTRY_RETURN_IF_ERROR(second.status());
    return kRunsProgram ? InChild(RunProgram) : absl::OkStatus();
  };
}

// The numbers of its files stay in use, by something else.
absl::Status Close(const TestVm& vm) {
  const Fd other(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int file : {vm.vm(), vm.vcpu()}) {
    if (dup2(other.get(), file) < 0) return absl::ErrnoToStatus(errno, "closing the VM");
  }
  return absl::OkStatus();
}

// Runs a program once the file go-on is there.
absl::Status GoOn() {
  return std::filesystem::exists(InTemporary("go-on")) ? InChild(RunProgram) : absl::OkStatus();
}

// The process goes on without a VM.
absl::StatusOr<Operation> CloseVm(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [&machine, closed = false]() mutable {
    return std::exchange(closed, true) ? GoOn() : Close(machine.vm);
  };
}

// The same of one that has had two.
absl::StatusOr<Operation> CloseBoth(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  static absl::StatusOr<TestMachine> second = TestMachine::Create(kOperationMemory);
  KVMSENTRY_RETURN_IF_ERROR(second.status());
  return [&machine, closed = false]() mutable {
    if (std::exchange(closed, true)) return GoOn();
    KVMSENTRY_RETURN_IF_ERROR(Close(machine.vm));
    return Close(second->vm);
  };
}

constexpr std::array kVmLife = {
    KnownOperation{"second-vm", SecondVm<false>},
    KnownOperation{"second-vm-then-program", SecondVm<true>},
    KnownOperation{"close-vm", CloseVm},
    KnownOperation{"close-two-vms", CloseBoth},
};

}  // namespace

std::span<const KnownOperation> VmLifeOperations() { return kVmLife; }

}  // namespace kvmsentry
