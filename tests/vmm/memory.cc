#include "tests/vmm/memory.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/fd.h"
#include "tests/support/one_msr.h"
#include "tests/vmm/act.h"
#include "tests/vmm/temporary.h"

namespace kvmsentry {
namespace {

// Of memory that is mapped with PROTECTION, of FILE or of none.
bool MapCode(int protection, int flags, int file) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* code = mmap(nullptr, page, protection, flags, file, 0);
  return code != MAP_FAILED && munmap(code, page) == 0;
}

bool MapWritableCode() {
  return MapCode(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

// Writes to a private mapping of a file, and has it executed.
bool ModifyCode() {
  const Fd fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* code = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd.get(), 0);
  if (code == MAP_FAILED) return false;
  *static_cast<volatile char*>(code) = 0;
  return mprotect(code, page, PROT_READ | PROT_EXEC) == 0;
}

// Asks that whatever can be read can be executed, and then for memory.
bool MapImpliedCode() {
  return personality(READ_IMPLIES_EXEC) >= 0 &&
         MapCode(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

bool MapMemfd() {
  const Fd fd(memfd_create("code", MFD_CLOEXEC));
  return ftruncate(fd.get(), sysconf(_SC_PAGESIZE)) == 0 &&
         MapCode(PROT_READ | PROT_EXEC, MAP_SHARED, fd.get());
}

// A library that an attacker has left on disk, for all to write to.
bool MapDroppedLibrary() {
  const std::string path = InTemporary(absl::StrCat("dropped-", getpid(), ".so"));
  std::error_code error;
  std::filesystem::copy_file("/proc/self/exe", path, error);
  if (error || chmod(path.c_str(), 0666) != 0) return false;
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return MapCode(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get());
}

bool MakeStackExecutable() {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  char here = 0;
  void* begin = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(&here) / page * page);
  return mprotect(begin, page, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}

absl::Status SetSlot(const TestMachine& machine, uint32_t slot, uint64_t guest_address,
                     uint64_t size, uint64_t memory) {
  kvm_userspace_memory_region region{};
  region.slot = slot;
  region.guest_phys_addr = guest_address;
  region.memory_size = size;
  region.userspace_addr = memory;
  if (ioctl(machine.vm.vm(), KVM_SET_USER_MEMORY_REGION, &region) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "KVM_SET_USER_MEMORY_REGION");
}

// A further slot of the guest's memory, of MEMORY in this process.
absl::Status AddSlot(const TestMachine& machine, void* memory) {
  return SetSlot(machine, 5, 1ULL << 30, static_cast<uint64_t>(sysconf(_SC_PAGESIZE)),
                 reinterpret_cast<uint64_t>(memory));
}

// The guest's memory in two slots; its upper half is that at UPPER in this process from now on.
absl::Status CutMemory(const TestMachine& machine, uint64_t upper) {
  constexpr uint64_t kHalf = kOperationMemory / 2;
  KVMSENTRY_RETURN_IF_ERROR(SetSlot(machine, 0, 0, 0, machine.memory->address()));
  KVMSENTRY_RETURN_IF_ERROR(SetSlot(machine, 0, 0, kHalf, machine.memory->address()));
  return SetSlot(machine, 6, kHalf, kHalf, upper);
}

absl::StatusOr<Operation> SplitMemory(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return
      [&machine] { return CutMemory(machine, machine.memory->address() + kOperationMemory / 2); };
}

// As much as the guest has, which it was not given.
absl::StatusOr<std::shared_ptr<TestMemory>> OtherMemory() {
  KVMSENTRY_ASSIGN_OR_RETURN(TestMemory mapped, TestMemory::Map(kOperationMemory));
  return std::make_shared<TestMemory>(std::move(mapped));
}

// A page of other memory in the middle of the guest's.
absl::Status LayPage(const TestMachine& machine, const TestMemory& other) {
  constexpr uint64_t kAt = kOperationMemory / 2;
  constexpr uint64_t kPage = 4096;
  const uint64_t memory = machine.memory->address();
  KVMSENTRY_RETURN_IF_ERROR(SetSlot(machine, 0, 0, 0, memory));
  KVMSENTRY_RETURN_IF_ERROR(SetSlot(machine, 0, 0, kAt, memory));
  KVMSENTRY_RETURN_IF_ERROR(SetSlot(machine, 6, kAt, kPage, other.address()));
  return SetSlot(machine, 7, kAt + kPage, kAt - kPage, memory + kAt + kPage);
}

// kByHyperV: as QEMU does for a guest that speaks its language.
template <bool kByHyperV>
absl::StatusOr<Operation> ExchangePage(const TestMachine& machine) {
  KVMSENTRY_ASSIGN_OR_RETURN(const std::shared_ptr<TestMemory> other, OtherMemory());
  if (kByHyperV) {
    KVMSENTRY_RETURN_IF_ERROR(ShowHyperV(machine));
    OneMsr guest_os_id(0x40000000);  // arch/x86/include/asm/hyperv-tlfs.h
    guest_os_id.entry.data = 1;
    if (SetMsr(machine.vm.vcpu(), &guest_os_id) != 1) {
      return absl::InternalError("KVM_SET_MSRS refused HV_X64_MSR_GUEST_OS_ID");
    }
  }
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [&machine, other] { return LayPage(machine, *other); };
}

// As the next, but the guest's memory is moved away, and not taken.
absl::StatusOr<Operation> MoveMemory(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  KVMSENTRY_ASSIGN_OR_RETURN(const std::shared_ptr<TestMemory> other, OtherMemory());
  return [&machine, other]() -> absl::Status {
    constexpr uint64_t kAway = 1ULL << 30;
    KVMSENTRY_RETURN_IF_ERROR(
        SetSlot(machine, 0, kAway, kOperationMemory, machine.memory->address()));
    return SetSlot(machine, 6, 0, kOperationMemory, other->address());
  };
}

absl::StatusOr<Operation> ExchangeMemory(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  KVMSENTRY_ASSIGN_OR_RETURN(const std::shared_ptr<TestMemory> other, OtherMemory());
  return [&machine, other] { return CutMemory(machine, other->address()); };
}

// Registers of whichever PCI device lets itself be mapped.
void* MapDevice() {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (const auto& device : std::filesystem::directory_iterator("/sys/bus/pci/devices")) {
    for (const char* resource : {"resource0", "resource1", "resource2", "resource4"}) {
      const Fd fd(open((device.path() / resource).c_str(), O_RDWR | O_CLOEXEC));
      if (!fd) continue;
      void* memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
      if (memory != MAP_FAILED) return memory;
    }
  }
  return nullptr;
}

absl::StatusOr<Operation> PlugDeviceMemory(const TestMachine& machine) {
  void* memory = MapDevice();
  if (memory == nullptr) return absl::NotFoundError("no PCI device here can be mapped");
  return [&machine, memory] { return AddSlot(machine, memory); };
}

absl::StatusOr<Operation> PlugMemory(const TestMachine& machine) {
  void* memory = mmap(nullptr, static_cast<size_t>(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return [&machine, memory] { return AddSlot(machine, memory); };
}

constexpr std::array kWithMemory = {
    KnownOperation{"map-writable-code", Itself<MapWritableCode>},
    KnownOperation{"modify-code", Begun<ModifyCode>},
    KnownOperation{"implied-code", Begun<MapImpliedCode>},
    KnownOperation{"memfd-code", Begun<MapMemfd>},
    KnownOperation{"map-library", Itself<MapLibrary>},
    KnownOperation{"dropped-library", Itself<MapDroppedLibrary>},
    KnownOperation{"stack-executable", Begun<MakeStackExecutable>},
    KnownOperation{"plug-device-memory", PlugDeviceMemory},
    KnownOperation{"plug-memory", PlugMemory},
    KnownOperation{"split-memory", SplitMemory},
    KnownOperation{"exchange-page", ExchangePage<false>},
    KnownOperation{"overlay-page", ExchangePage<true>},
    KnownOperation{"move-memory", MoveMemory},
    KnownOperation{"exchange-memory", ExchangeMemory},
};

}  // namespace

bool MapLibrary() {
  const Fd fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  return MapCode(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get());
}

std::span<const KnownOperation> MemoryOperations() { return kWithMemory; }

}  // namespace kvmsentry
