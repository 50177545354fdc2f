#include "tests/support/small_vm.h"

#include <barrier>
#include <bit>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

constexpr size_t kPageBytes = 4096;

// In real mode, where a vCPU begins: mov dx, 0x3f8; out dx, al; jmp to the out.
constexpr uint8_t kCode[] = {0xba, 0xf8, 0x03, 0xee, 0xeb, 0xfd};

absl::Status Failed(absl::string_view what) { return absl::ErrnoToStatus(errno, what); }

}  // namespace

SmallVm::Page::~Page() {
  if (address_ != nullptr) munmap(address_, kPageBytes);
}

// With room for its vCPUs, but none of them yet.
absl::StatusOr<SmallVm> SmallVm::CreateWithout(uint32_t vcpus) {
  const Fd kvm(open("/dev/kvm", O_RDWR | O_CLOEXEC));
  if (!kvm) return Failed("open /dev/kvm");
  void* page =
      mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return Failed("mmap of a page");
  std::memcpy(page, kCode, sizeof(kCode));
  SmallVm vm;
  vm.memory_ = Page(page);
  vm.vm_ = Fd(ioctl(kvm.get(), KVM_CREATE_VM, 0));
  if (!vm.vm_) return Failed("KVM_CREATE_VM");
  kvm_userspace_memory_region region{};
  region.memory_size = kPageBytes;
  region.userspace_addr = std::bit_cast<uint64_t>(page);
  if (ioctl(vm.vm_.get(), KVM_SET_USER_MEMORY_REGION, &region) != 0) {
    return Failed("KVM_SET_USER_MEMORY_REGION");
  }
  vm.vcpus_.resize(vcpus);
  return vm;
}

absl::StatusOr<SmallVm> SmallVm::Create(uint32_t vcpus) {
  KVMSENTRY_ASSIGN_OR_RETURN(SmallVm vm, CreateWithout(vcpus));
  for (uint32_t index = 0; index < vcpus; ++index) {
    KVMSENTRY_RETURN_IF_ERROR(vm.AddVcpu(index));
  }
  return vm;
}

absl::StatusOr<SmallVm> SmallVm::CreateAtOnce(uint32_t vcpus) {
  KVMSENTRY_ASSIGN_OR_RETURN(SmallVm vm, CreateWithout(vcpus));
  std::vector<absl::Status> added(vcpus);
  std::barrier start(vcpus);
  std::vector<std::thread> threads;
  for (uint32_t index = 0; index < vcpus; ++index) {
    threads.emplace_back([&, index] {
      start.arrive_and_wait();
      added[index] = vm.AddVcpu(index);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (absl::Status& status : added) KVMSENTRY_RETURN_IF_ERROR(std::move(status));
  return vm;
}

absl::Status SmallVm::AddVcpu(uint32_t index) {
  Fd vcpu(ioctl(vm_.get(), KVM_CREATE_VCPU, index));
  if (!vcpu) return Failed(absl::StrCat("KVM_CREATE_VCPU ", index));
  kvm_sregs sregs;
  if (ioctl(vcpu.get(), KVM_GET_SREGS, &sregs) != 0) return Failed("KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  if (ioctl(vcpu.get(), KVM_SET_SREGS, &sregs) != 0) return Failed("KVM_SET_SREGS");
  kvm_regs regs{};
  regs.rflags = 2;  // the bit that is always set
  if (ioctl(vcpu.get(), KVM_SET_REGS, &regs) != 0) return Failed("KVM_SET_REGS");
  vcpus_[index] = std::move(vcpu);
  return absl::OkStatus();
}

absl::Status SmallVm::Run(uint32_t vcpu, uint64_t times) const {
  for (; times > 0; --times) {
    if (ioctl(vcpus_[vcpu].get(), KVM_RUN, 0) != 0) return Failed("KVM_RUN");
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
