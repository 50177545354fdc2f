#include "tests/vmm/conduct.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "sensor/base/fd.h"
#include "tests/vmm/act.h"
#include "tests/vmm/temporary.h"

namespace kvmsentry {
namespace {

constexpr uid_t kNobody = 65534;

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

constexpr uint16_t kDiscard = 9;  // where nobody listens

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool Connect() {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(kDiscard);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ||
         errno == ECONNREFUSED;
}

bool SendDatagram() {
  const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(kDiscard);
  return sendto(fd.get(), "", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
         1;
}

// As libc asks a server of names, over a connected socket.
bool LookUp() {
  constexpr uint16_t kDomain = 53;
  const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(kDomain);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
         send(fd.get(), "", 1, 0) == 1;
}

bool Listen() {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(0);
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
         listen(fd.get(), 1) == 0;
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

// It changes nothing there.
bool OpenSystemFile() {
  return static_cast<bool>(Fd(open("/etc/passwd", O_WRONLY | O_APPEND | O_CLOEXEC)));
}

bool ReadPasswords() { return static_cast<bool>(Fd(open("/etc/shadow", O_RDONLY | O_CLOEXEC))); }

bool MakeSocket(int family, int type, int protocol) {
  return static_cast<bool>(Fd(socket(family, type | SOCK_CLOEXEC, protocol)));
}

bool MakeRawSocket() { return MakeSocket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }

// By the VMM, its parent.
bool BeTraced() { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }

bool MakeDatagramSocket() { return MakeSocket(AF_INET, SOCK_DGRAM, 0); }

// A child that lives so many seconds longer than the VMM, and whose number lies in a file.
template <int kSeconds>
bool LeaveChild() {
  constexpr char kOutlive[] = "while [ -d /proc/$0 ]; do sleep 1; done; exec sleep $1";
  const std::string vmm = absl::StrCat(getpid());
  const std::string seconds = absl::StrCat(kSeconds);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    TakeSignals();
    close_range(0, ~0U, 0);  // somebody waits for the end of the VMM's output
    execl("/bin/sh", "sh", "-c", kOutlive, vmm.c_str(), seconds.c_str(), nullptr);
    _exit(1);
  }
  std::ofstream(InTemporary(absl::StrCat("left-for-", seconds))) << child;
  return child > 0;
}

// A child that starts no program, for so many seconds.
template <int kSeconds>
bool Split() {
  const pid_t child = fork();
  if (child == 0) {
    TakeSignals();
    close_range(0, ~0U, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int passed = 0; passed < kSeconds; ++passed) sleep(1);
    _exit(0);
  }
  return child > 0;
}

// Files that are nobody else's business, one that is everybody's, sockets that look a name up.
bool UseOwnFiles() {
  const std::string path = InTemporary(absl::StrCat("own-", getpid(), ".log"));
  return Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) &&
         Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)) &&
         Fd(open("/etc/passwd", O_RDONLY | O_CLOEXEC)) &&
         MakeSocket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) && MakeSocket(AF_UNIX, SOCK_STREAM, 0);
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

// The same of a VMM that then makes another VM.
absl::StatusOr<Operation> HoldImageAndSecondVm(const TestMachine& machine) {
  KVMSENTRY_ASSIGN_OR_RETURN(Operation hold, HoldImage(machine));
  return [hold = std::move(hold)]() mutable {
    static const absl::StatusOr<TestMachine> second = TestMachine::Create(kOperationMemory);
    KVMSENTRY_RETURN_IF_ERROR(second.status());
    return hold();
  };
}

// Waits for a client at a socket, as a monitor does.
absl::StatusOr<Operation> ServeSocket(const TestMachine& machine) {
  KVMSENTRY_RETURN_IF_ERROR(BeginGuest(machine));
  KVMSENTRY_ASSIGN_OR_RETURN(Fd listening,
                             ListenAt(InTemporary(absl::StrCat("monitor-", getpid(), ".sock"))));
  auto server = std::make_shared<Fd>(std::move(listening));
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

constexpr std::array kConduct = {
    KnownOperation{"run-program", Begun<RunProgram>},
    KnownOperation{"become-program", Itself<RunProgram>},
    KnownOperation{"fault", Begun<Fault>},
    KnownOperation{"be-ended", Begun<IsEnded>},
    KnownOperation{"filter-kills", Begun<IsKilledByItsFilter>},
    KnownOperation{"filter-refuses", Begun<IsRefusedByItsFilter>},
    KnownOperation{"filter-refuses-often", Begun<IsRefusedOften>},
    KnownOperation{"connect", Itself<Connect>},
    KnownOperation{"send-datagram", Itself<SendDatagram>},
    KnownOperation{"look-up", Itself<LookUp>},
    KnownOperation{"listen", Itself<Listen>},
    KnownOperation{"call-docker", Itself<CallDocker>},
    KnownOperation{"drop-rights", Begun<DropRights>},
    KnownOperation{"take-rights", Begun<TakeRights>},
    KnownOperation{"rise-itself", RiseItself},
    KnownOperation{"leave-namespace", Begun<LeaveNamespace>},
    KnownOperation{"leave-namespace-itself", Itself<LeaveNamespace>},
    KnownOperation{"confine-itself", ConfineItself},
    KnownOperation{"call-bpf", Itself<CallBpf>},
    KnownOperation{"open-sysctl", Itself<OpenSysctl>},
    KnownOperation{"open-system-file", Itself<OpenSystemFile>},
    KnownOperation{"read-passwords", Itself<ReadPasswords>},
    KnownOperation{"make-raw-socket", Begun<MakeRawSocket>},
    KnownOperation{"be-traced", Begun<BeTraced>},
    KnownOperation{"make-datagram-socket", Itself<MakeDatagramSocket>},
    KnownOperation{"use-own-files", Itself<UseOwnFiles>},
    KnownOperation{"split", Itself<Split<120>>},
    KnownOperation{"split-briefly", Itself<Split<1>>},
    KnownOperation{"leave-child", Itself<LeaveChild<120>>},
    KnownOperation{"leave-child-briefly", Itself<LeaveChild<1>>},
    KnownOperation{"hold-image", HoldImage},
    KnownOperation{"hold-image-and-second-vm", HoldImageAndSecondVm},
    KnownOperation{"serve-socket", ServeSocket},
    KnownOperation{"open-image", Itself<OpenImage>},
};

}  // namespace

std::span<const KnownOperation> ConductOperations() { return kConduct; }

}  // namespace kvmsentry
