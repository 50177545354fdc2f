#include "tests/support/test_vm.h"

#include <bit>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

namespace kvmsentry {

absl::StatusOr<TestMemory> TestMemory::Map(size_t bytes) {
  void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return absl::ErrnoToStatus(errno, "mmap of guest memory");
  return TestMemory({static_cast<std::byte*>(start), bytes});
}

TestMemory::TestMemory(TestMemory&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

TestMemory& TestMemory::operator=(TestMemory&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

TestMemory::~TestMemory() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

uint64_t TestMemory::address() const { return std::bit_cast<uint64_t>(bytes_.data()); }

absl::StatusOr<TestVm> TestVm::Create(const TestMemory& memory, bool irqchip) {
  const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) return absl::ErrnoToStatus(errno, "open /dev/kvm");
  Fd vm(ioctl(kvm.get(), KVM_CREATE_VM, 0));
  if (!vm) return absl::ErrnoToStatus(errno, "KVM_CREATE_VM");
  if (irqchip && ioctl(vm.get(), KVM_CREATE_IRQCHIP, 0) != 0) {
    return absl::ErrnoToStatus(errno, "KVM_CREATE_IRQCHIP");
  }
  kvm_userspace_memory_region region{};
  region.memory_size = memory.bytes().size();
  region.userspace_addr = memory.address();
  if (ioctl(vm.get(), KVM_SET_USER_MEMORY_REGION, &region) != 0) {
    return absl::ErrnoToStatus(errno, "KVM_SET_USER_MEMORY_REGION");
  }
  Fd vcpu(ioctl(vm.get(), KVM_CREATE_VCPU, 0));
  if (!vcpu) return absl::ErrnoToStatus(errno, "KVM_CREATE_VCPU");
  return TestVm(std::move(vm), std::move(vcpu));
}

absl::StatusOr<TestMachine> TestMachine::Create(size_t bytes, bool irqchip) {
  KVMSENTRY_ASSIGN_OR_RETURN(TestMemory mapped, TestMemory::Map(bytes));
  auto memory = std::make_unique<TestMemory>(std::move(mapped));
  KVMSENTRY_ASSIGN_OR_RETURN(TestVm vm, TestVm::Create(*memory, irqchip));
  return TestMachine{std::move(memory), std::move(vm)};
}

}  // namespace kvmsentry
