#include "tests/vmm/conduct.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/base/fd.h"

namespace kvmsentry {
namespace {

constexpr uid_t kNobody = 65534;

// KVM_RUN once, which INTERRUPTED is left before the guest's first instruction. The result is the
// system call's.
absl::StatusOr<int> RunVcpu(const TestMachine& machine, bool interrupted) {
  const int size = ioctl(Fd(open("/dev/kvm", O_RDWR | O_CLOEXEC)).get(), KVM_GET_VCPU_MMAP_SIZE, 0);
  if (size < 0) return absl::ErrnoToStatus(errno, "KVM_GET_VCPU_MMAP_SIZE");
  const auto bytes = static_cast<size_t>(size);
  void* shared = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vm.vcpu(), 0);
  if (shared == MAP_FAILED) return absl::ErrnoToStatus(errno, "mapping the vCPU");
  static_cast<kvm_run*>(shared)->immediate_exit = interrupted ? 1 : 0;
  const int result = ioctl(machine.vm.vcpu(), KVM_RUN, 0) < 0 ? -errno : 0;
  munmap(shared, bytes);
  return result;
}

absl::Status BeginGuest(const TestMachine& machine) {
  KVMSENTRY_ASSIGN_OR_RETURN(const int result, RunVcpu(machine, /*interrupted=*/true));
  return result == -EINTR ? absl::OkStatus() : absl::ErrnoToStatus(-result, "KVM_RUN");
}

// From where a vCPU begins, there is no memory.
absl::StatusOr<Operation> RunNowhere(const TestMachine& machine) {
  return [&machine] { return RunVcpu(machine, /*interrupted=*/false).status(); };
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
    return RunVcpu(machine, /*interrupted=*/false).status();
  };
}

// ACT in a child, which ends after it with success if that returns true.
template <typename Act>
absl::Status InChild(Act act) {
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) {
    prctl(PR_SET_DUMPABLE, 0);  // faults leave no core
    signal(SIGTERM, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    _exit(act() ? 0 : 1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return absl::ErrnoToStatus(errno, "waitpid");
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    return absl::InternalError("a child could not do what it should");
  }
  return absl::OkStatus();
}

bool RunProgram() {
  execl("/bin/true", "true", nullptr);
  return false;
}

// By the processor, not by kill.
bool Fault() {
  void* nowhere = mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(nowhere) = 1;
  return false;
}

// Somebody wants it to end, which is no fault.
bool IsEnded() {
  kill(getpid(), SIGTERM);
  pause();
  return false;
}

// A filter that does ACTION at the system call NUMBER.
bool Filter(uint32_t number, uint32_t action) {
  std::array<sock_filter, 4> program = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, action),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter = {.len = program.size(), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool IsKilledByItsFilter() {
  if (Filter(SYS_execve, SECCOMP_RET_KILL_PROCESS)) RunProgram();
  return false;
}

bool IsRefused() { return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM; }

bool IsRefusedByItsFilter() { return Filter(SYS_socket, SECCOMP_RET_ERRNO | EPERM) && IsRefused(); }

// An emulator makes few children a second.
bool IsRefusedOften() {
  constexpr int kTimes = 64;
  bool refused = Filter(SYS_socket, SECCOMP_RET_ERRNO | EPERM);
  for (int i = 0; refused && i < kTimes; ++i) refused = IsRefused();
  return refused;
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool Connect() {
  constexpr uint16_t kDiscard = 9;  // where nobody listens
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(kDiscard);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
         errno == ECONNREFUSED;
}

bool Listen() {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(0);
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
         listen(fd.get(), 1) == 0;
}

// Of memory that is mapped with PROTECTION, of FILE or of none.
bool MapCode(int protection, int flags, int file) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* code = mmap(nullptr, page, protection, flags, file, 0);
  return code != MAP_FAILED && munmap(code, page) == 0;
}

bool MapWritableCode() {
  return MapCode(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

// As a library is.
bool MapLibrary() {
  const Fd fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  return MapCode(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get());
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

bool CallDocker() {
  const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr absl::string_view kPath = "/run/docker.sock";
  kPath.copy(address.sun_path, kPath.size());
  for (int tries = 0; tries < 600; ++tries) {  // until somebody listens
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      return true;
    }
    usleep(100000);
  }
  return false;
}

bool MakeStackExecutable() {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  char here = 0;
  void* begin = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(&here) / page * page);
  return mprotect(begin, page, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}

// A further slot of the guest's memory, of MEMORY in this process.
absl::Status AddSlot(const TestMachine& machine, void* memory) {
  kvm_userspace_memory_region region{};
  region.slot = 5;
  region.guest_phys_addr = 1ULL << 30;
  region.memory_size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  region.userspace_addr = reinterpret_cast<uint64_t>(memory);
  if (ioctl(machine.vm.vm(), KVM_SET_USER_MEMORY_REGION, &region) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "KVM_SET_USER_MEMORY_REGION");
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

bool DropRights() { return setuid(kNobody) == 0; }

bool TakeRights() { return seteuid(kNobody) == 0 && seteuid(0) == 0; }

// The VMM gives its rights up as it should, and gets them back.
absl::StatusOr<Operation> RiseItself(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  if (seteuid(kNobody) != 0) return absl::ErrnoToStatus(errno, "seteuid");
  return [] { return seteuid(0) == 0 ? absl::OkStatus() : absl::ErrnoToStatus(errno, "seteuid"); };
}

bool LeaveNamespace() { return unshare(CLONE_NEWUTS) == 0; }

// Once it has a vCPU, but before its guest runs.
absl::StatusOr<Operation> ConfineItself(const TestMachine& machine) {
  if (!LeaveNamespace()) return absl::ErrnoToStatus(errno, "unshare");
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [] { return absl::OkStatus(); };
}

// Refused, for there is no such command.
bool CallBpf() {
  bpf_attr attributes{};
  return syscall(SYS_bpf, INT16_MAX, &attributes, sizeof(attributes)) < 0;
}

bool OpenSysctl() {
  return static_cast<bool>(Fd(open("/proc/sys/kernel/hostname", O_WRONLY | O_CLOEXEC)));
}

std::string InTemporary(absl::string_view name) {
  const char* folder = std::getenv("TMPDIR");
  return absl::StrCat(folder == nullptr ? "/tmp" : folder, "/", name);
}

// Of its own.
std::string ImagePath() { return InTemporary(absl::StrCat("disk-", getpid(), ".img")); }

absl::StatusOr<Operation> HoldImage(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  constexpr off_t kSize = 1 << 20;
  auto image = std::make_shared<Fd>(open(ImagePath().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!*image || ftruncate(image->get(), kSize) != 0) {
    return absl::ErrnoToStatus(errno, ImagePath());
  }
  return [image] {
    return Fd(open(ImagePath().c_str(), O_RDWR | O_CLOEXEC))
               ? absl::OkStatus()
               : absl::ErrnoToStatus(errno, ImagePath());
  };
}

// Waits for a client at a socket, as a monitor does.
absl::StatusOr<Operation> ServeSocket(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  auto server = std::make_shared<Fd>(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = InTemporary(absl::StrCat("monitor-", getpid(), ".sock"));
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  constexpr int kWaiting = 8;
  if (bind(server->get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(server->get(), kWaiting) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return [server] { return absl::OkStatus(); };
}

// The image of some other VM.
bool OpenImage() {
  for (const auto& entry : std::filesystem::directory_iterator(InTemporary(""))) {
    if (entry.path().extension() != ".img") continue;
    return static_cast<bool>(Fd(open(entry.path().c_str(), O_RDWR | O_CLOEXEC)));
  }
  return false;
}

template <bool (*kAct)()>
absl::StatusOr<Operation> Begun(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [] { return InChild(kAct); };
}

template <bool (*kAct)()>
absl::StatusOr<Operation> Itself(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  return [] {
    return kAct() ? absl::OkStatus() : absl::ErrnoToStatus(errno, "what the VMM should do");
  };
}

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

constexpr std::array kOperations = {
    KnownOperation{"run-program", Begun<RunProgram>},
    KnownOperation{"become-program", Itself<RunProgram>},
    KnownOperation{"fault", Begun<Fault>},
    KnownOperation{"be-ended", Begun<IsEnded>},
    KnownOperation{"filter-kills", Begun<IsKilledByItsFilter>},
    KnownOperation{"filter-refuses", Begun<IsRefusedByItsFilter>},
    KnownOperation{"filter-refuses-often", Begun<IsRefusedOften>},
    KnownOperation{"connect", Itself<Connect>},
    KnownOperation{"listen", Itself<Listen>},
    KnownOperation{"map-writable-code", Itself<MapWritableCode>},
    KnownOperation{"modify-code", Begun<ModifyCode>},
    KnownOperation{"implied-code", Begun<MapImpliedCode>},
    KnownOperation{"memfd-code", Begun<MapMemfd>},
    KnownOperation{"call-docker", Itself<CallDocker>},
    KnownOperation{"second-vm", SecondVm<false>},
    KnownOperation{"second-vm-then-program", SecondVm<true>},
    KnownOperation{"map-library", Itself<MapLibrary>},
    KnownOperation{"stack-executable", Begun<MakeStackExecutable>},
    KnownOperation{"plug-device-memory", PlugDeviceMemory},
    KnownOperation{"plug-memory", PlugMemory},
    KnownOperation{"run-nowhere", RunNowhere},
    KnownOperation{"triple-fault", TripleFault},
    KnownOperation{"drop-rights", Begun<DropRights>},
    KnownOperation{"take-rights", Begun<TakeRights>},
    KnownOperation{"rise-itself", RiseItself},
    KnownOperation{"leave-namespace", Begun<LeaveNamespace>},
    KnownOperation{"leave-namespace-itself", Itself<LeaveNamespace>},
    KnownOperation{"confine-itself", ConfineItself},
    KnownOperation{"call-bpf", Itself<CallBpf>},
    KnownOperation{"open-sysctl", Itself<OpenSysctl>},
    KnownOperation{"hold-image", HoldImage},
    KnownOperation{"serve-socket", ServeSocket},
    KnownOperation{"open-image", Itself<OpenImage>},
};

}  // namespace

std::span<const KnownOperation> ConductOperations() { return kOperations; }

}  // namespace kvmsentry
