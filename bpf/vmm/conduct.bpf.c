/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a VM's processes do that no VMM does once its guest runs: they call on interfaces of the
 * kernel that are not for them, or are refused a call by their own filter.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/vmm/calls.bpf.h"

KS_LICENSE;

#define KS_AF_UNIX 1 /* include/linux/socket.h */
#define KS_AF_NETLINK 16
#define KS_AF_PACKET 17
#define KS_AF_VSOCK 40
#define KS_SOCK_STREAM 1 /* include/linux/net.h */
#define KS_SOCK_DGRAM 2
#define KS_SOCK_RAW 3
#define KS_SOCK_PACKET 10
#define KS_SOCK_TYPE_MASK 0xf
#define KS_IPPROTO_ICMP 1 /* include/uapi/linux/in.h, in6.h */
#define KS_IPPROTO_TCP 6
#define KS_IPPROTO_ICMPV6 58
#define KS_IPPROTO_MPTCP 262
#define KS_EPERM 1 /* include/uapi/asm-generic/errno-base.h, errno.h */
#define KS_ENOSYS 38

/* ---- calls on the kernel -------------------------------------------------------------------- */

#define CALLS(function, family)                                                 \
  static __always_inline void function##_called(const __u64* ctx, bool typed) { \
    (void)ctx;                                                                  \
    (void)typed;                                                                \
    note_call(family);                                                          \
  }                                                                             \
  KS_FUNCTION_ENTRY(function, function##_called)

/* security/security.c and others; all are called at rare system calls only. */
CALLS(create_user_ns, KS_CALL_NAMESPACE) /* kernel/user_namespace.c */
CALLS(security_sb_mount, KS_CALL_MOUNT)
CALLS(security_sb_umount, KS_CALL_MOUNT)
CALLS(security_sb_pivotroot, KS_CALL_MOUNT)
CALLS(security_path_chroot, KS_CALL_MOUNT)
CALLS(security_move_mount, KS_CALL_MOUNT)
CALLS(__x64_sys_open_tree, KS_CALL_MOUNT) /* a copy of a mount, which hides where it lies */
CALLS(security_bpf, KS_CALL_BPF)
CALLS(security_perf_event_open, KS_CALL_PERF)

#define KS_NR_FSCONFIG 431 /* of all tables */

/* int vfs_get_tree(struct fs_context *fc), fs/super.c: a file system is made, to be mounted later.
 * The kernel does so for who walks over a mount point, too. */
static __always_inline void on_tree(const __u64* arguments, bool typed) {
  (void)arguments;
  (void)typed;
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
  if ((regs->orig_ax & ~KS_X32) == KS_NR_FSCONFIG) note_call(KS_CALL_MOUNT);
}
KS_FUNCTION_ENTRY(vfs_get_tree, on_tree)

/* int security_task_fix_setuid(struct cred *new, const struct cred *old, int flags) */
static __always_inline void on_user(const __u64* arguments, bool typed) {
  (void)typed;
  const struct cred* now = (const struct cred*)arguments[0];
  const struct cred* before = (const struct cred*)arguments[1];
  bool is_root = !BPF_CORE_READ(now, euid.val) || !BPF_CORE_READ(now, fsuid.val);
  bool was_root = !BPF_CORE_READ(before, euid.val) && !BPF_CORE_READ(before, fsuid.val);
  if (is_root && !was_root) note_call(KS_CALL_CREDENTIALS);
}
KS_FUNCTION_ENTRY(security_task_fix_setuid, on_user)

/* void switch_task_namespaces(struct task_struct *tsk, struct nsproxy *new), kernel/nsproxy.c: with
 * none when a task ends. */
static __always_inline void on_namespaces(const __u64* arguments, bool typed) {
  (void)typed;
  if (arguments[1]) note_call(KS_CALL_NAMESPACE);
}
KS_FUNCTION_ENTRY(switch_task_namespaces, on_namespaces)

/* A driver's firmware is loaded by whoever makes its device appear. */
#define KS_READING_FIRMWARE 1 /* include/linux/kernel_read_file.h */

/* int security_kernel_load_data(enum kernel_load_data_id id, bool contents) */
static __always_inline void on_load(const __u64* arguments, bool typed) {
  (void)typed;
  if ((__u32)arguments[0] != KS_READING_FIRMWARE) note_call(KS_CALL_MODULE);
}
KS_FUNCTION_ENTRY(security_kernel_load_data, on_load)

/* int security_kernel_read_file(struct file *file, enum kernel_read_file_id id, bool contents) */
static __always_inline void on_read(const __u64* arguments, bool typed) {
  (void)typed;
  if ((__u32)arguments[1] != KS_READING_FIRMWARE) note_call(KS_CALL_MODULE);
}
KS_FUNCTION_ENTRY(security_kernel_read_file, on_read)

static __always_inline __u32 socket_of(int family, int type, int protocol) {
  switch (family) {
    case KS_AF_UNIX:
      return KS_SOCKET_UNIX;
    case KS_AF_PACKET:
      return KS_SOCKET_PACKET;
    case KS_AF_NETLINK:
      return KS_SOCKET_NETLINK;
    case KS_AF_VSOCK:
      return KS_SOCKET_VSOCK;
    case KS_AF_INET:
    case KS_AF_INET6:
      break;
    default:
      return KS_SOCKET_OTHER;
  }
  switch (type) {
    case KS_SOCK_RAW:
      return KS_SOCKET_RAW;
    case KS_SOCK_PACKET:
      return KS_SOCKET_PACKET;
    case KS_SOCK_DGRAM:
      if (protocol == KS_IPPROTO_ICMP || protocol == KS_IPPROTO_ICMPV6) return KS_SOCKET_PING;
      return KS_SOCKET_UDP;
    case KS_SOCK_STREAM:
      if (!protocol || protocol == KS_IPPROTO_TCP || protocol == KS_IPPROTO_MPTCP)
        return KS_SOCKET_STREAM;
  }
  return KS_SOCKET_OTHER; /* SCTP and the like */
}

static __always_inline void note_socket(int family, int type, int protocol) {
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = acting_row(&owner, KS_ROLE_NET_HELPER);
  if (!row) return;
  __u32 socket = socket_of(family, type, protocol);
  bool of_guests = socket == KS_SOCKET_UDP || socket == KS_SOCKET_PING;
  if (of_guests && carries_network(&owner, KS_NETWORK_USER)) return;
  note_member(row, &owner, KS_ACT_SOCKET, &row->sockets, 64, socket);
}

/* int security_socket_create(int family, int type, int protocol, int kern) */
static __always_inline void on_socket(const __u64* arguments, bool typed) {
  (void)typed;
  if (!(int)arguments[3]) note_socket(arguments[0], arguments[1], arguments[2]);
}
KS_FUNCTION_ENTRY(security_socket_create, on_socket)

KS_FIRED(security_task_fix_setuid_sys_enter);
SEC("raw_tp/sys_enter") int security_task_fix_setuid_sys_enter(__u64* ctx) {
  struct ks_call_now call = call_now(ctx[0], ctx[1]);
  bool is_socket = call.kind == KS_SOCKET;
  if (!is_socket && (call.family == KS_NO_FAMILY || call.family == KS_CALL_PTRACE)) return 0;
  KS_NOTE_FIRED(security_task_fix_setuid_sys_enter);
  if (is_socket)
    note_socket(call.arguments[0], call.arguments[1] & KS_SOCK_TYPE_MASK, call.arguments[2]);
  else if (!gives_rights_up(&call))
    note_call(call.family);
  return 0;
}

/* ---- refused by its filter ------------------------------------------------------------------ */

/* A filter that answers ENOSYS has its process do the same by an older call: so QEMU's makes libc
 * use clone for clone3. */
static __always_inline void note_refused(__s64 answer, struct pt_regs* regs) {
  if (answer == -KS_ENOSYS) return;
  /* A supervisor made the call for it; of a trap, the number stands where the answer would. */
  if (answer >= 0 && answer != (__s64)BPF_CORE_READ(regs, orig_ax)) return;
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = acting_row(&owner, KS_ROLE_OWN);
  if (!row) return;
  __u64 number = without_x32(BPF_CORE_READ(regs, orig_ax));
  if (number >= KS_VMM_SYSCALLS || is_compat()) number = KS_VMM_SYSCALLS - 1;
  count_act(row, &owner, KS_METER_VMM_REFUSED);
  note_member(row, &owner, KS_ACT_REFUSED, row->refused, KS_VMM_SYSCALLS, number);
}

/* The call is not to be made, and its answer is set. */
static __always_inline void on_refused(void) {
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
  note_refused((__s64)BPF_CORE_READ(regs, ax), regs);
}

/* int __secure_computing(...), kernel/seccomp.c: called for tasks with a filter alone; not 0 where
 * the call is refused. Its arguments have changed over time, so they are not used. */
KS_FIRED(__secure_computing_fexit);
SEC("fexit/__secure_computing") int __secure_computing_fexit(void* ctx) {
  KS_NOTE_FIRED(__secure_computing_fexit);
  __u64 result = 0;
  if (!bpf_get_func_ret(ctx, &result) && (int)result) on_refused();
  return 0;
}

/* bool __seccomp_permit_syscall(void), which newer kernels have in its place. */
KS_FIRED(__seccomp_permit_syscall_fexit);
SEC("fexit/__seccomp_permit_syscall") int __seccomp_permit_syscall_fexit(void* ctx) {
  KS_NOTE_FIRED(__seccomp_permit_syscall_fexit);
  __u64 result = 0;
  if (!bpf_get_func_ret(ctx, &result) && !(__u8)result) on_refused();
  return 0;
}

/* A filter may refuse by whatever error; it is EPERM that is usual. */
KS_FIRED(__secure_computing_sys_exit);
SEC("raw_tp/sys_exit") int __secure_computing_sys_exit(__u64* ctx) {
  if ((__s64)ctx[1] != -KS_EPERM) return 0;
  struct task_struct___vmm* task = (void*)bpf_get_current_task_btf();
  if (!BPF_CORE_READ(task, seccomp.mode)) return 0;
  KS_NOTE_FIRED(__secure_computing_sys_exit);
  note_refused(-KS_EPERM, (struct pt_regs*)ctx[0]);
  return 0;
}
