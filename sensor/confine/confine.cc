#include "sensor/confine/confine.h"

#include <linux/capability.h>

#include "sensor/base/sanitized.h"
#include "sensor/confine/capabilities.h"
#include "sensor/confine/system_calls.h"

namespace kvmsentry {

absl::Status CheckRights() {
  return CheckCapabilities({CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_SYS_ADMIN});
}

absl::Status ConfineLoader() {
  KVMSENTRY_RETURN_IF_ERROR(KeepCapabilities({CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN}));
  if (kSanitized) return absl::OkStatus();
  return AllowSystemCalls({
      // its work
      "bpf",
      "perf_event_open",
      "ioctl",
      // the kernel's files below /sys and /proc/self, and the folders of pins
      "open",
      "openat",
      "read",
      "pread64",
      "readv",
      "lseek",
      "close",
      "access",
      "faccessat",
      "faccessat2",
      "readlink",
      "readlinkat",
      "getcwd",
      "stat",
      "lstat",
      "fstat",
      "newfstatat",
      "statx",
      "statfs",
      "fstatfs",
      "getdents64",
      "flock",
      "fcntl",
      "dup",
      "dup3",
      "mkdir",
      "mkdirat",
      "rmdir",
      "unlink",
      "unlinkat",
      // the socket to the daemon
      "recvfrom",
      "recvmsg",
      "sendto",
      "sendmsg",
      "poll",
      "ppoll",
      "shutdown",
      // what every program needs
      "write",
      "writev",
      "mmap",
      "munmap",
      "mremap",
      "mprotect",
      "madvise",
      "brk",
      "futex",
      "getrandom",
      "clock_gettime",
      "clock_nanosleep",
      "nanosleep",
      "gettimeofday",
      "getpid",
      "gettid",
      "getuid",
      "geteuid",
      "getgid",
      "getegid",
      "uname",
      "sysinfo",
      "sched_getaffinity",
      "sched_yield",
      "prlimit64",
      "getrlimit",
      "setrlimit",
      "rt_sigaction",
      "rt_sigprocmask",
      "rt_sigreturn",
      "sigaltstack",
      "tgkill",
      "restart_syscall",
      "rseq",
      "set_robust_list",
      "exit",
      "exit_group",
  });
}

absl::Status ConfineDaemon() {
  KVMSENTRY_RETURN_IF_ERROR(KeepCapabilities({CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE}));
  if (kSanitized) return absl::OkStatus();
  return ForbidSystemCalls({
      // other programs
      "execve",
      "execveat",
      "memfd_secret",
      "userfaultfd",
      "uselib",
      "personality",
      // other processes, although CAP_SYS_PTRACE would let it
      "ptrace",
      "process_vm_readv",
      "process_vm_writev",
      "process_madvise",
      "process_mrelease",
      "pidfd_getfd",
      "kcmp",
      "move_pages",
      "migrate_pages",
      // the system
      "mount",
      "umount2",
      "pivot_root",
      "chroot",
      "open_tree",
      "move_mount",
      "fsopen",
      "fsconfig",
      "fsmount",
      "fspick",
      "mount_setattr",
      "unshare",
      "setns",
      "init_module",
      "finit_module",
      "delete_module",
      "kexec_load",
      "kexec_file_load",
      "reboot",
      "swapon",
      "swapoff",
      "acct",
      "quotactl",
      "quotactl_fd",
      "syslog",
      "settimeofday",
      "clock_settime",
      "adjtimex",
      "clock_adjtime",
      "sethostname",
      "setdomainname",
      "iopl",
      "ioperm",
      "modify_ldt",
      "open_by_handle_at",
      "name_to_handle_at",
      "fanotify_init",
      "lookup_dcookie",
      "vhangup",
      // ways around a filter, and keys
      "io_uring_setup",
      "io_uring_enter",
      "io_uring_register",
      "add_key",
      "request_key",
      "keyctl",
      // left to the loader
      "perf_event_open",
  });
}

}  // namespace kvmsentry
