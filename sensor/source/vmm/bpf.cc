#include "sensor/source/vmm/bpf.h"

#include <array>

#include "bpf/vmm/records.h"
#include "sensor/probe/hook_variants.h"
// The only place that includes the skeletons: their bytes are all that is used of them.
#include "vmm.skel.h"
#include "vmm_maps.skel.h"

namespace kvmsentry {
namespace {

constexpr std::array kVmmMaps = {
    MapRow{"vmm_vms", MapSize::kVms, sizeof(ks_vmm_vm_row)},
    MapRow{"vmm_vms_used", MapSize::kVmBits, sizeof(uint64_t)},
    MapRow{"vmm_limits", MapSize::kVms, sizeof(ks_vmm_limits)},
    MapRow{"vmm_children", MapSize::kDeclared, 0, /*frozen=*/true},
    MapRow{"vmm_losses", MapSize::kDeclared, sizeof(ks_vmm_losses), /*frozen=*/true},
};

// Where no function can be probed, the system calls of the whole host are hooked: the last resort.
constexpr std::array kCallEntry = {Variant::kFentry, Variant::kKprobe, Variant::kSysEnter};
constexpr std::array kOpened = {Variant::kFentry, Variant::kKprobe, Variant::kSysExit};
constexpr std::array kFexitOrKprobe = {Variant::kFexit, Variant::kKprobe};
constexpr std::array kRefused = {Variant::kFexit, Variant::kSysExit};

constexpr std::array<absl::string_view, 1> kProtect = {"security_file_mprotect"};
constexpr std::array<absl::string_view, 1> kVmIoctl = {"kvm_vm_ioctl"};
// A host may have no devices of KVM's, and serve no 32-bit programs.
constexpr std::array<absl::string_view, 3> kOtherIoctls = {
    "kvm_device_ioctl", "kvm_vcpu_compat_ioctl", "kvm_vm_compat_ioctl"};
constexpr std::array<absl::string_view, 1> kTraceMe = {"security_ptrace_traceme"};
constexpr std::array<absl::string_view, 2> kChanges = {"vfs_rename", "vfs_unlink"};
// What a kernel may be built without.
constexpr std::array<absl::string_view, 14> kCalls = {"create_user_ns",
                                                      "switch_task_namespaces",
                                                      "security_sb_mount",
                                                      "security_sb_umount",
                                                      "security_sb_pivotroot",
                                                      "security_path_chroot",
                                                      "security_move_mount",
                                                      "__x64_sys_open_tree",
                                                      "vfs_get_tree",
                                                      "security_kernel_load_data",
                                                      "security_kernel_read_file",
                                                      "security_bpf",
                                                      "security_perf_event_open",
                                                      "security_socket_create"};

// What a kernel may be built without, or has as a module.
constexpr std::array<absl::string_view, 1> kOfIpv6 = {"udpv6_sendmsg"};

// Whose a process is, and whether its guest has begun, only KVM's types tell.
constexpr std::array<absl::string_view, 1> kKvm = {"kvm_vcpu"};

constexpr Hook OfKvm(Hook hook) {
  hook.types = kKvm;
  hook.module = "kvm";
  return hook;
}

constexpr std::array kVmmHooks = {
    OfKvm({.name = "sched_process_fork",
           .bpf = "process",
           .variants = kTracepoint,
           .provides = "children of a VM's processes: vmm.fork.rate, vmm.survivor, and what they "
                       "do"}),
    OfKvm({.name = "sched_process_exec",
           .bpf = "process",
           .variants = kTracepoint,
           .provides = "programs that a VM's processes start: vmm.program"}),
    OfKvm({.name = "sched_process_exit",
           .bpf = "process",
           .variants = kTracepoint,
           .provides = "threads of VMs that their seccomp filter ended: vmm.signal"}),
    OfKvm({.name = "signal_generate",
           .bpf = "process",
           .variants = kTracepoint,
           .provides = "faults of a VM's processes: vmm.signal"}),
    OfKvm({.name = "inet_sock_set_state",
           .bpf = "network",
           .variants = kTracepoint,
           .provides = "TCP connections that a VM's processes make or wait for: vmm.connection, "
                       "vmm.listener"}),
    OfKvm({.name = "udp_sendmsg",
           .bpf = "network",
           .variants = kFunctionEntry,
           .provides = "whom a VM's processes send datagrams to: vmm.datagram",
           .with_if_there = kOfIpv6}),
    OfKvm({.name = "security_ptrace_access_check",
           .bpf = "memory",
           .variants = kCallEntry,
           .provides = "strangers that reach into a VM's memory: vmm.entered*; and VMs' processes "
                       "that reach into others, or have themselves traced: vmm.call",
           .with_if_there = kTraceMe,
           .weakness =
               "at every system call: ptrace and "
               "process_vm_* by the VMM's pid, not /proc/PID/mem, pidfd_getfd or a thread's "
               "number"}),
    OfKvm({.name = "kvm_vcpu_ioctl",
           .bpf = "driver",
           .variants = kFexitOrKprobe,
           .provides = "strangers that run a VM's vCPUs, or make other ioctls on it: vm.driver",
           .with = kVmIoctl,
           .with_if_there = kOtherIoctls}),
    OfKvm({.name = "userfaultfd_ioctl",
           .bpf = "memory",
           .variants = kFunctionEntry,
           .provides = "strangers that handle a VMM's page faults: memory.pager"}),
    OfKvm({.name = "security_unix_stream_connect",
           .bpf = "stranger",
           .variants = kFunctionEntry,
           .provides = "clients of a VMM's Unix sockets: vmm.client; and those it is a client of: "
                       "vmm.service"}),
    OfKvm({.name = "security_file_open",
           .bpf = "stranger",
           .variants = kOpened,
           .provides = "images that strangers open: image.*; guest memory that they open as a "
                       "file: memory.opened; and what a VM's processes open: vmm.file.*, "
                       "vmm.call",
           .weakness = "at the end of every system call: not what io_uring opens"}),
    OfKvm({.name = "notify_change",
           .bpf = "stranger",
           .variants = kFexitOrKprobe,
           .provides = "images that strangers change by their path: image.changer",
           .with = kChanges}),
    OfKvm({.name = "security_mmap_file",
           .bpf = "code",
           .variants = kCallEntry,
           .provides = "memory that a VM's processes make executable: vmm.code",
           .with = kProtect,
           .weakness = "at every system call: what was asked for, not what was mapped, nor "
                       "whose file it was"}),
    OfKvm({.name = "kvm_arch_prepare_memory_region",
           .bpf = "memory",
           .variants = kFunctionEntry,
           .provides = "memory of devices that is mapped for guests, and memory that is exchanged: "
                       "memory.slot"}),
    OfKvm({.name = "security_task_fix_setuid",
           .bpf = "conduct",
           .variants = kCallEntry,
           .provides = "calls of a VM's processes on the kernel: vmm.call; and sockets that they "
                       "make: vmm.socket",
           .with_if_there = kCalls,
           .weakness = "at every system call: not sockets that 32-bit programs make by "
                       "socketcall"}),
    OfKvm({.name = "__secure_computing",
           .bpf = "conduct",
           .variants = kRefused,
           .provides = "system calls that a VM's seccomp filter refuses: vmm.refused_call*",
           .superseded_by = "__seccomp_permit_syscall",  // Linux 7.3's has it
           .weakness = "at the end of every system call: each EPERM of a process "
                       "with a filter"}),
};

}  // namespace

const BpfSource& VmmBpf() {
  static constexpr BpfSource kSource = {.name = "vmm",
                                        .number = KS_SOURCE_VMM,
                                        .layout_version = KS_VMM_VERSION,
                                        .maps = kVmmMaps,
                                        .programs = vmm_bpf__elf_bytes,
                                        .maps_only = vmm_maps_bpf__elf_bytes,
                                        .hooks = kVmmHooks,
                                        .sees_everybody = true};
  return kSource;
}

}  // namespace kvmsentry
