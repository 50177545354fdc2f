#include "tests/guest/vm.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

#include "tests/guest/layout.h"
#include "tests/guest/long_mode.h"
#include "tests/support/one_msr.h"

namespace kvmsentry::guest {
namespace {

constexpr char kDevice[] = "/dev/kvm";
constexpr size_t kRingBytes = 1024 * sizeof(kvm_dirty_gfn);  // the least that all back ends take

absl::Status Failed(absl::string_view what) { return absl::ErrnoToStatus(errno, what); }

absl::string_view Advice(int error) {
  switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return "load kvm_intel or kvm_amd, and see that virtualization is enabled in the firmware "
             "(or nested virtualization in the hypervisor)";
    case EACCES:
    case EPERM:
      return "run as root, or join the group that owns it";
    default:
      return "see dmesg";
  }
}

absl::StatusOr<Mapping> Map(size_t size, int flags, int fd, absl::string_view what,
                            off_t offset = 0) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, offset);
  if (address == MAP_FAILED) return Failed(absl::StrCat("mmap of ", what));
  return Mapping(address, size);
}

absl::StatusOr<UniqueFd> OpenMemory(const std::string& path, uint64_t bytes) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (file.get() < 0) return Failed(path);
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) < 0) return Failed(path);
  return file;
}

}  // namespace

absl::StatusOr<Kvm> Kvm::Open() {
  Kvm kvm;
  kvm.fd_ = UniqueFd(::open(kDevice, O_RDWR | O_CLOEXEC));
  if (kvm.Fd() < 0) {
    const int error = errno;
    const absl::Status status = absl::ErrnoToStatus(error, absl::StrCat("cannot open ", kDevice));
    return absl::Status(status.code(), absl::StrCat(status.message(), ": ", Advice(error)));
  }
  const int version = ::ioctl(kvm.Fd(), KVM_GET_API_VERSION, 0);
  if (version != KVM_API_VERSION) {
    return absl::UnimplementedError(absl::StrFormat("%s speaks API version %d, this program %d",
                                                    kDevice, version, KVM_API_VERSION));
  }
  const int size = ::ioctl(kvm.Fd(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < 0) return Failed("KVM_GET_VCPU_MMAP_SIZE");
  kvm.run_size_ = static_cast<size_t>(size);
  kvm.cpuid_.size = kvm.cpuid_.entries.size();
  if (::ioctl(kvm.Fd(), kGetSupportedCpuid, &kvm.cpuid_) < 0) {
    return Failed("KVM_GET_SUPPORTED_CPUID");
  }
  return kvm;
}

uint32_t Kvm::PhysicalAddressBits() const {
  constexpr uint32_t kAddressSizes = 0x80000008;
  constexpr uint32_t kWithoutTheLeaf = 36;
  for (const kvm_cpuid_entry2& entry : absl::MakeSpan(cpuid_.entries).first(cpuid_.size)) {
    if (entry.function == kAddressSizes) return entry.eax & 0xff;
  }
  return kWithoutTheLeaf;
}

bool Kvm::NestsSvm() const {
  constexpr uint32_t kExtendedFeatures = 0x80000001;
  constexpr uint32_t kSvm = 1 << 2;  // of ecx
  for (const kvm_cpuid_entry2& entry : absl::MakeSpan(cpuid_.entries).first(cpuid_.size)) {
    if (entry.function == kExtendedFeatures) return (entry.ecx & kSvm) != 0;
  }
  return false;
}

absl::StatusOr<Vm> Vm::Create(const Kvm& kvm, const Workload& workload, uint64_t memory_bytes) {
  Vm vm;
  vm.fd_ = UniqueFd(::ioctl(kvm.Fd(), KVM_CREATE_VM, 0));
  if (vm.fd_.get() < 0) return Failed("KVM_CREATE_VM");
  if (HasInterruptController(workload.behaviour) &&
      ::ioctl(vm.fd_.get(), KVM_CREATE_IRQCHIP, 0) < 0) {
    return Failed("KVM_CREATE_IRQCHIP");
  }
  // Before there is a vCPU.
  kvm_enable_cap ring = {};
  ring.cap = KVM_CAP_DIRTY_LOG_RING;
  ring.args[0] = kRingBytes;
  if (HasDirtyRing(workload.behaviour) && ::ioctl(vm.fd_.get(), KVM_ENABLE_CAP, &ring) < 0) {
    return Failed("KVM_ENABLE_CAP of a dirty ring");
  }
  int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  if (!workload.memory_file.empty()) {
    absl::StatusOr<UniqueFd> file = OpenMemory(workload.memory_file, memory_bytes);
    if (!file.ok()) return file.status();
    vm.memory_file_ = *std::move(file);
    flags = MAP_SHARED;
  }
  absl::StatusOr<Mapping> memory =
      Map(memory_bytes, flags | MAP_NORESERVE, vm.memory_file_.get(), "guest memory");
  if (!memory.ok()) return memory.status();
  vm.memory_ = *std::move(memory);

  kvm_userspace_memory_region region = {};
  if (HasDirtyRing(workload.behaviour)) region.flags = KVM_MEM_LOG_DIRTY_PAGES;
  region.memory_size = memory_bytes;
  region.userspace_addr = reinterpret_cast<uint64_t>(vm.memory_.Address());
  if (::ioctl(vm.fd_.get(), KVM_SET_USER_MEMORY_REGION, &region) < 0) {
    return Failed("KVM_SET_USER_MEMORY_REGION");
  }
  // System management mode has slots of its own (Documentation/virt/kvm/api.rst, 4.35).
  region.slot = 1U << 16;
  if (RaisesSmis(workload.behaviour) &&
      ::ioctl(vm.fd_.get(), KVM_SET_USER_MEMORY_REGION, &region) < 0) {
    return Failed("KVM_SET_USER_MEMORY_REGION of system management mode");
  }
  if (workload.behaviour == Behaviour::kDoorbell) {
    if (absl::Status status = vm.HangDoorbell(workload.gpa); !status.ok()) return status;
  }
  return vm;
}

absl::Status Vm::HangDoorbell(uint64_t gpa) {
  doorbell_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (doorbell_.get() < 0) return Failed("eventfd");
  // Of no length: it takes writes of any, and KVM need not decode them
  // (Documentation/virt/kvm/api.rst, 4.59).
  kvm_ioeventfd listener = {};
  listener.addr = gpa;
  listener.fd = doorbell_.get();
  if (::ioctl(fd_.get(), KVM_IOEVENTFD, &listener) < 0) return Failed("KVM_IOEVENTFD");
  return absl::OkStatus();
}

absl::StatusOr<Vcpu> Vm::CreateVcpu(const Kvm& kvm, const Workload& workload, uint32_t index,
                                    const kvm_regs& regs) const {
  Vcpu vcpu;
  vcpu.fd_ = UniqueFd(::ioctl(fd_.get(), KVM_CREATE_VCPU, index));
  if (vcpu.fd_.get() < 0) return Failed(absl::StrCat("KVM_CREATE_VCPU ", index));
  absl::StatusOr<Mapping> run = Map(kvm.RunSize(), MAP_SHARED, vcpu.fd_.get(), "kvm_run");
  if (!run.ok()) return run.status();
  vcpu.run_ = *std::move(run);
  vcpu.vm_ = fd_.get();
  vcpu.raises_smis_ = RaisesSmis(workload.behaviour);
  if (HasDirtyRing(workload.behaviour)) {
    absl::StatusOr<Mapping> ring = Map(kRingBytes, MAP_SHARED, vcpu.fd_.get(), "dirty ring",
                                       KVM_DIRTY_LOG_PAGE_OFFSET * static_cast<off_t>(kPageSize));
    if (!ring.ok()) return ring.status();
    vcpu.ring_ = *std::move(ring);
  }
  if (absl::Status status = vcpu.Initialise(kvm, workload, regs); !status.ok()) return status;
  return vcpu;
}

absl::Status Vcpu::Initialise(const Kvm& kvm, const Workload& workload, const kvm_regs& regs) {
  // CPUID first: KVM accepts long mode and the MSRs of long mode only where CPUID has them.
  if (::ioctl(fd_.get(), kSetCpuid2, &kvm.Cpuid()) < 0) return Failed("KVM_SET_CPUID2");
  kvm_sregs sregs;
  if (::ioctl(fd_.get(), KVM_GET_SREGS, &sregs) < 0) return Failed("KVM_GET_SREGS");
  EnterLongMode(workload, sregs);
  if (::ioctl(fd_.get(), KVM_SET_SREGS, &sregs) < 0) return Failed("KVM_SET_SREGS");
  if (::ioctl(fd_.get(), KVM_SET_REGS, &regs) < 0) return Failed("KVM_SET_REGS");
  // With the controllers in the kernel all but the first would wait for the first to start them.
  kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
  if (HasInterruptController(workload.behaviour) &&
      ::ioctl(fd_.get(), KVM_SET_MP_STATE, &runnable) < 0) {
    return Failed("KVM_SET_MP_STATE");
  }
  return absl::OkStatus();
}

absl::StatusOr<Exit> Vcpu::Run() {
  if (::ioctl(fd_.get(), KVM_RUN, 0) < 0) {
    if (errno == EINTR || errno == EAGAIN) return Exit::kIntr;
    return Failed("KVM_RUN");
  }
  switch (Shared()->exit_reason) {
    case KVM_EXIT_IO: {
      const auto& io = Shared()->io;
      if (io.direction == KVM_EXIT_IO_IN) {
        std::memset(static_cast<uint8_t*>(run_.Address()) + io.data_offset, 0xff,
                    size_t{io.size} * io.count);
      }
      if (raises_smis_ && io.port == kSmiPort && ::ioctl(fd_.get(), KVM_SMI, 0) < 0) {
        return Failed("KVM_SMI");
      }
      return Exit::kIo;
    }
    case KVM_EXIT_MMIO:
      if (Shared()->mmio.is_write == 0) std::memset(Shared()->mmio.data, 0xff, Shared()->mmio.len);
      return Exit::kMmio;
    case KVM_EXIT_HLT:
      return Exit::kHlt;
    case KVM_EXIT_INTR:
      return Exit::kIntr;
    case KVM_EXIT_DIRTY_RING_FULL:
      return Exit::kRingFull;
    default:
      return BadExit();
  }
}

// Documentation/virt/kvm/api.rst, 8.29: an entry that KVM has marked dirty is ours; once we have
// marked it for reset, the next KVM_RESET_DIRTY_RINGS gives it back.
absl::Status Vcpu::Harvest(DirtyCounts& counts) {
  const absl::Span<kvm_dirty_gfn> ring(static_cast<kvm_dirty_gfn*>(ring_.Address()),
                                       ring_.size() / sizeof(kvm_dirty_gfn));
  const uint64_t before = counts.pages;
  while (!ring.empty()) {
    const std::atomic_ref<uint32_t> flags(ring[harvested_ % ring.size()].flags);
    if ((flags.load(std::memory_order_acquire) & KVM_DIRTY_GFN_F_DIRTY) == 0) break;
    flags.store(KVM_DIRTY_GFN_F_RESET, std::memory_order_release);
    ++harvested_;
    ++counts.pages;
  }
  if (counts.pages == before) return absl::OkStatus();
  ++counts.resets;
  if (::ioctl(vm_, KVM_RESET_DIRTY_RINGS, 0) < 0) return Failed("KVM_RESET_DIRTY_RINGS");
  return absl::OkStatus();
}

absl::Status Vcpu::Debug() {
  kvm_guest_debug debug{};
  debug.control = KVM_GUESTDBG_ENABLE;
  if (::ioctl(fd_.get(), KVM_SET_GUEST_DEBUG, &debug) < 0) return Failed("KVM_SET_GUEST_DEBUG");
  return absl::OkStatus();
}

absl::Status Vcpu::Write(Rewrite what) {
  constexpr uint64_t kAway = 256;  // no guest here has a stack, or makes a system call
  kvm_regs regs{};
  kvm_sregs sregs{};
  if (::ioctl(fd_.get(), KVM_GET_REGS, &regs) < 0) return Failed("KVM_GET_REGS");
  if (::ioctl(fd_.get(), KVM_GET_SREGS, &sregs) < 0) return Failed("KVM_GET_SREGS");
  OneMsr lstar(kLstar);
  if (GetMsr(fd_.get(), &lstar) != 1) return Failed("KVM_GET_MSRS");
  if (what == Rewrite::kStack || what == Rewrite::kReset) regs.rsp += kAway;
  if (what == Rewrite::kEntry) lstar.entry.data += kAway;
  if (::ioctl(fd_.get(), KVM_SET_SREGS, &sregs) < 0) return Failed("KVM_SET_SREGS");
  if (SetMsr(fd_.get(), &lstar) != 1) return Failed("KVM_SET_MSRS");
  if (::ioctl(fd_.get(), KVM_SET_REGS, &regs) < 0) return Failed("KVM_SET_REGS");
  kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
  if (what == Rewrite::kReset && ::ioctl(fd_.get(), KVM_SET_MP_STATE, &runnable) < 0) {
    return Failed("KVM_SET_MP_STATE");
  }
  return absl::OkStatus();
}

absl::Status Vcpu::BadExit() const {
  kvm_regs regs = {};
  ::ioctl(fd_.get(), KVM_GET_REGS, &regs);  // for the message only: a zero rip says enough
  std::string detail;
  switch (Shared()->exit_reason) {
    case KVM_EXIT_SHUTDOWN:
      detail = "triple fault";
      break;
    case KVM_EXIT_INTERNAL_ERROR:
      detail = absl::StrFormat("KVM internal error %u", Shared()->internal.suberror);
      break;
    case KVM_EXIT_FAIL_ENTRY:
      detail = absl::StrFormat("VM entry refused, hardware reason %#x",
                               Shared()->fail_entry.hardware_entry_failure_reason);
      break;
    default:
      detail = "unexpected";
  }
  return absl::InternalError(
      absl::StrFormat("the guest stopped with exit reason %u (%s) at rip %#x",
                      Shared()->exit_reason, detail, regs.rip));
}

void Vcpu::Kick() {
  std::atomic_ref<uint8_t>(Shared()->immediate_exit).store(1, std::memory_order_relaxed);
}

void Vcpu::ClearKick() {
  std::atomic_ref<uint8_t>(Shared()->immediate_exit).store(0, std::memory_order_relaxed);
}

}  // namespace kvmsentry::guest
