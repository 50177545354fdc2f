#include "sensor/confine/confine.h"

#include <vector>

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/sanitized.h"
#include "sensor/confine/capabilities.h"
#include "sensor/confine/system_calls.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kInt = 0xffffffff;  // the kernel looks at no more of an int

// What makes, loads or finds by its number an object of BPF: whoever can, reads all memory of the
// host.
constexpr bpf_cmd kOfLoaders[] = {
    BPF_MAP_CREATE,       BPF_PROG_LOAD,         BPF_OBJ_PIN,           BPF_PROG_ATTACH,
    BPF_PROG_DETACH,      BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,  BPF_BTF_LOAD,
    BPF_BTF_GET_FD_BY_ID, BPF_LINK_UPDATE,       BPF_LINK_GET_FD_BY_ID, BPF_ENABLE_STATS};
constexpr uint32_t kFirstUnknownCommand = BPF_ITER_CREATE + 1;

constexpr uint64_t kNamespaces[] = {CLONE_NEWUSER, CLONE_NEWNS,     CLONE_NEWNET, CLONE_NEWPID,
                                    CLONE_NEWIPC,  CLONE_NEWCGROUP, CLONE_NEWUTS};

// Root owns the host's files, capabilities or not, and would lose only those of the unit's user.
absl::Status Keep(std::vector<int> capabilities) {
  if (geteuid() == 0) capabilities.push_back(CAP_DAC_OVERRIDE);
  return KeepCapabilities(capabilities);
}

}  // namespace

absl::Status CheckRights() {
  constexpr int kNeeded[] = {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_SYS_ADMIN};
  return CheckCapabilities(kNeeded);
}

absl::Status ConfineLoader() {
  KVMSENTRY_RETURN_IF_ERROR(Keep({CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN}));
  if (kSanitized) return absl::OkStatus();
  SystemCallFilter filter(SystemCallFilter::Otherwise::kRefused);
  // Its work, the kernel's files below /sys and /proc/self, and the folders of pins.
  filter.Add(R"(
      bpf perf_event_open ioctl
      open openat read pread64 readv lseek close access faccessat faccessat2 readlink readlinkat
      getcwd stat lstat fstat newfstatat statx statfs fstatfs getdents64 flock fcntl dup dup3
      mkdir mkdirat rmdir unlink unlinkat)");
  // The socket to the daemon, and what every program needs.
  filter.Add(R"(
      recvfrom recvmsg sendto sendmsg poll ppoll shutdown
      write writev memfd_create mmap munmap mremap mprotect madvise brk futex getrandom
      clock_gettime clock_nanosleep nanosleep gettimeofday getpid gettid getuid geteuid getgid
      getegid uname sysinfo sched_getaffinity sched_yield getcpu membarrier prctl prlimit64
      getrlimit setrlimit rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack tgkill
      restart_syscall rseq set_robust_list exit exit_group)");
  return filter.Load();
}

absl::Status ConfineDaemon() {
  KVMSENTRY_RETURN_IF_ERROR(Keep({CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE}));
  if (kSanitized) return absl::OkStatus();
  SystemCallFilter filter(SystemCallFilter::Otherwise::kAllowed);
  // Other programs; other processes, although CAP_SYS_PTRACE would let it.
  filter.Add(R"(
      execve execveat uselib personality memfd_secret userfaultfd
      ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp
      move_pages migrate_pages)");
  // The system.
  filter.Add(R"(
      mount umount2 pivot_root chroot open_tree open_tree_attr move_mount fsopen fsconfig fsmount
      fspick mount_setattr unshare setns init_module finit_module delete_module kexec_load
      kexec_file_load reboot swapon swapoff acct quotactl quotactl_fd syslog settimeofday
      clock_settime adjtimex clock_adjtime sethostname setdomainname iopl ioperm modify_ldt
      open_by_handle_at name_to_handle_at fanotify_init lookup_dcookie vhangup mknod mknodat
      setxattr lsetxattr fsetxattr)");
  // Ways around a filter, keys, and what is left to the loader.
  filter.Add("io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl");
  filter.Add("perf_event_open");
  // It has a userfaultfd, for the canary, which is of no memory and stays so.
  filter.RefuseWhere("ioctl", 1, kInt, UFFDIO_REGISTER);
  for (const bpf_cmd command : kOfLoaders) filter.RefuseWhere("bpf", 0, kInt, command);
  filter.RefuseFrom("bpf", 0, kFirstUnknownCommand);
  for (const uint64_t flag : kNamespaces) filter.RefuseWhere("clone", 0, flag, flag);
  filter.Deny("clone3");  // its flags lie in memory, where no filter sees them
  for (const uint64_t bit : {uint64_t{S_ISUID}, uint64_t{S_ISGID}}) {
    filter.RefuseWhere("chmod", 1, bit, bit);
    filter.RefuseWhere("fchmod", 1, bit, bit);
    filter.RefuseWhere("fchmodat", 2, bit, bit);
  }
  return filter.Load();
}

absl::Status ConfineServing() { return Keep({CAP_BPF}); }

}  // namespace kvmsentry
