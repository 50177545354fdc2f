#include "sensor/source/vmm/members.h"

#include <array>

#include <signal.h>
#include <sys/syscall.h>

#include "bpf/vmm/records.h"

namespace kvmsentry {
namespace {

constexpr std::array kCodes = {
    NamedMember{KS_CODE_FILE, "file"},
    NamedMember{KS_CODE_ANONYMOUS, "anonymous"},
    NamedMember{KS_CODE_WRITABLE, "writable"},
    NamedMember{KS_CODE_STACK, "stack"},
    NamedMember{KS_CODE_MODIFIED, "modified"},
    NamedMember{KS_CODE_MEMORY, "memory-file"},
    NamedMember{KS_CODE_UNTRUSTED, "untrusted-file"},
};

constexpr std::array kSlots = {
    NamedMember{KS_SLOT_SPECIAL, "special"},
    NamedMember{KS_SLOT_VFIO, "vfio"},
    NamedMember{KS_SLOT_EXCHANGED, "exchanged"},
};

constexpr std::array kSockets = {
    NamedMember{KS_SOCKET_UNIX, "unix"},       NamedMember{KS_SOCKET_STREAM, "stream"},
    NamedMember{KS_SOCKET_UDP, "udp"},         NamedMember{KS_SOCKET_PING, "ping"},
    NamedMember{KS_SOCKET_RAW, "raw"},         NamedMember{KS_SOCKET_PACKET, "packet"},
    NamedMember{KS_SOCKET_NETLINK, "netlink"}, NamedMember{KS_SOCKET_VSOCK, "vsock"},
    NamedMember{KS_SOCKET_OTHER, "other"},
};

constexpr std::array kSignals = {
    NamedMember{SIGILL, "ILL"}, NamedMember{SIGTRAP, "TRAP"}, NamedMember{SIGABRT, "ABRT"},
    NamedMember{SIGBUS, "BUS"}, NamedMember{SIGFPE, "FPE"},   NamedMember{SIGSEGV, "SEGV"},
    NamedMember{SIGSYS, "SYS"},
};

constexpr std::array kFamilies = {
    NamedMember{KS_CALL_CREDENTIALS, "credentials"},
    NamedMember{KS_CALL_NAMESPACE, "namespace"},
    NamedMember{KS_CALL_MOUNT, "mount"},
    NamedMember{KS_CALL_MODULE, "module"},
    NamedMember{KS_CALL_BPF, "bpf"},
    NamedMember{KS_CALL_PERF, "perf"},
    NamedMember{KS_CALL_PTRACE, "ptrace"},
    NamedMember{KS_CALL_MEMORY, "memory"},
    NamedMember{KS_CALL_KERNEL_FS, "kernel-fs"},
};

// NOLINTBEGIN(cppcoreguidelines-macro-usage): a name and the number behind it, written once.
#define CALL(name) \
  NamedMember { SYS_##name, #name }
// NOLINTEND(cppcoreguidelines-macro-usage)

// Those that an attacker's first steps need; others are numbers.
constexpr std::array kCalls = {
    CALL(open),
    CALL(openat),
    CALL(openat2),
    CALL(socket),
    CALL(connect),
    CALL(accept),
    CALL(accept4),
    CALL(bind),
    CALL(listen),
    CALL(clone),
    CALL(clone3),
    CALL(fork),
    CALL(vfork),
    CALL(execve),
    CALL(execveat),
    CALL(kill),
    CALL(ptrace),
    CALL(mprotect),
    CALL(mmap),
    CALL(mount),
    CALL(umount2),
    CALL(chroot),
    CALL(pivot_root),
    CALL(setns),
    CALL(unshare),
    CALL(setuid),
    CALL(setgid),
    CALL(setreuid),
    CALL(setresuid),
    CALL(setresgid),
    CALL(setgroups),
    CALL(capset),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(kexec_load),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(process_vm_readv),
    CALL(keyctl),
    CALL(add_key),
    CALL(io_uring_setup),
    CALL(process_vm_writev),
    CALL(memfd_create),
    CALL(pidfd_getfd),
    CALL(reboot),
    CALL(personality),
    NamedMember{KS_VMM_SYSCALLS - 1, "other"},
};

std::span<const NamedMember> Codes() { return kCodes; }
std::span<const NamedMember> Slots() { return kSlots; }
std::span<const NamedMember> Sockets() { return kSockets; }
std::span<const NamedMember> Signals() { return kSignals; }
std::span<const NamedMember> Families() { return kFamilies; }
std::span<const NamedMember> Calls() { return kCalls; }

}  // namespace

constinit const MemberKind kProgram = {
    .key = "program", .noun = "program", .hint = "/usr/bin/qemu-*", .type = MemberType::kText};

constinit const MemberKind kEndpoint = {.key = "connection",
                                        .noun = "connection",
                                        .hint = "192.0.2.*:443 or *:5900",
                                        .type = MemberType::kText};

constinit const MemberKind kService = {
    .key = "service", .noun = "service", .hint = "/run/docker.sock", .type = MemberType::kText};

constinit const MemberKind kMonitorClient = {
    .key = "client", .noun = "client", .hint = "virtqemud *", .type = MemberType::kText};

constinit const MemberKind kOpener = {
    .key = "opener", .noun = "opener", .hint = "* ivshmem*", .type = MemberType::kText};

constinit const MemberKind kImage = {
    .key = "image", .noun = "image", .hint = "shared-*.raw", .type = MemberType::kText};

constinit const MemberKind kCode = {
    .key = "code",
    .noun = "executable memory",
    .largest = KS_CODE_UNTRUSTED,
    .number = NumberFormat::kDecimal,
    .names = Codes,
    .hint = "file, anonymous, writable, stack, modified, memory-file or untrusted-file",
    .is_mass = true};

constinit const MemberKind kSlot = {.key = "slot",
                                    .noun = "memory slot",
                                    .largest = KS_SLOT_EXCHANGED,
                                    .number = NumberFormat::kDecimal,
                                    .names = Slots,
                                    .hint = "special, vfio or exchanged"};

constinit const MemberKind kFilePath = {
    .key = "file", .noun = "file", .hint = "/etc/*", .type = MemberType::kText};

constinit const MemberKind kSocket = {
    .key = "socket",
    .noun = "socket",
    .largest = KS_SOCKET_OTHER,
    .number = NumberFormat::kDecimal,
    .names = Sockets,
    .hint = "unix, stream, udp, ping, raw, packet, netlink, vsock or other"};

constinit const MemberKind kSignal = {.key = "signal",
                                      .noun = "signal",
                                      .largest = 63,
                                      .number = NumberFormat::kDecimal,
                                      .names = Signals,
                                      .hint = "SEGV, SYS or 1-31"};

constinit const MemberKind kCallFamily = {.key = "call",
                                          .noun = "calls on",
                                          .largest = KS_CALL_KERNEL_FS,
                                          .number = NumberFormat::kDecimal,
                                          .names = Families,
                                          .hint =
                                              "credentials, namespace, mount, module, bpf, "
                                              "perf, ptrace, memory or kernel-fs",
                                          .is_mass = true};

constinit const MemberKind kSystemCall = {.key = "syscall",
                                          .noun = "system call",
                                          .largest = KS_VMM_SYSCALLS - 1,
                                          .number = NumberFormat::kDecimal,
                                          .format = NameFormat::kNameOnly,
                                          .names = Calls,
                                          .hint = "execve, 59 or 41-50"};

}  // namespace kvmsentry
