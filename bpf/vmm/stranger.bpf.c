/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What strangers do to a VM: reach into the memory of its processes, open its images, or change
 * them by their path. A stranger is any process that is not of this VM.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/vmm/calls.bpf.h"

KS_LICENSE;

#define KS_PTRACE_MODE_ATTACH 2 /* include/linux/ptrace.h */
#define KS_PTRACE_ATTACH 16     /* include/uapi/linux/ptrace.h */
#define KS_PTRACE_SEIZE 0x4206
#define KS_FMODE_WRITE 2  /* include/linux/fs.h */
#define KS_S_IFMT 0170000 /* include/uapi/linux/stat.h */
#define KS_S_IFBLK 0060000
#define KS_PROC_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */
#define KS_SYSFS_MAGIC 0x62656572

/* ---- into its memory ------------------------------------------------------------------------ */

static __always_inline void reach_into(__u64 mm, __u32 tgid) {
  struct task_struct* task = bpf_get_current_task_btf();
  if (task->tgid == (int)tgid) return;
  struct ks_owner actor = {}, owner = {};
  bool of_a_vm = is_vms((__u64)task->mm, task->tgid, &actor);
  if (of_a_vm && has_begun(actor.slot)) note_call(&actor, KS_CALL_PTRACE);
  if (!is_vms(mm, tgid, &owner)) return;
  if (of_a_vm && actor.serial == owner.serial) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  if (!row) return;
  count_act(row, &owner, KS_METER_VMM_ENTERED);
  struct ks_vmm_act* record = begin_act(row, &owner, KS_ACT_ENTERED);
  if (record) tell_act(record);
}

/* int security_ptrace_access_check(struct task_struct *child, unsigned int mode),
 * security/security.c: asked before ptrace, process_vm_readv and _writev, before /proc/PID/mem is
 * opened and a descriptor is taken by pidfd_getfd. Those that only look do not ask to attach. */
static __always_inline void on_access(const __u64* arguments, bool typed) {
  (void)typed;
  if (!((__u32)arguments[1] & KS_PTRACE_MODE_ATTACH)) return;
  struct task_struct* target = (struct task_struct*)arguments[0];
  reach_into((__u64)BPF_CORE_READ(target, mm), BPF_CORE_READ(target, tgid));
}
KS_FUNCTION_ENTRY(security_ptrace_access_check, on_access)

/* By the number of the target alone, as the host's own namespace numbers it. */
KS_FIRED(security_ptrace_access_check_sys_enter);
SEC("raw_tp/sys_enter") int security_ptrace_access_check_sys_enter(__u64* ctx) {
  struct ks_call_now call = call_now(ctx[0], ctx[1]);
  if (call.family != KS_CALL_PTRACE) return 0;
  KS_NOTE_FIRED(security_ptrace_access_check_sys_enter);
  if (call.kind == KS_PTRACE) {
    if (call.arguments[0] == KS_PTRACE_ATTACH || call.arguments[0] == KS_PTRACE_SEIZE)
      reach_into(0, call.arguments[1]);
  } else {
    reach_into(0, call.arguments[0]);
  }
  return 0;
}

/* ---- at its monitor ------------------------------------------------------------------------- */

/* int security_unix_stream_connect(struct sock *sock, struct sock *other, struct sock *newsk):
 * OTHER listens, and remembers the process that asked for that. */
static __always_inline void on_client(const __u64* arguments, bool typed) {
  (void)typed;
  struct sock* other = (struct sock*)arguments[1];
  struct pid___numbers* listener = (void*)BPF_CORE_READ(other, sk_peer_pid);
  if (!listener) return;
  struct ks_owner actor = {}, owner = {};
  if (!is_vms(0, BPF_CORE_READ(listener, numbers[0].nr), &owner)) return;
  if (is_current_vms(&actor) && actor.serial == owner.serial) return;
  if (!has_begun(owner.slot)) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  if (!row) return;
  struct ks_vmm_act* record = begin_act(row, &owner, KS_ACT_CLIENT);
  if (!record) return;
  struct unix_address* address = BPF_CORE_READ((struct unix_sock*)other, addr);
  if (address) bpf_core_read_str(record->text, sizeof(record->text), &address->name[0].sun_path);
  tell_act(record);
}
KS_FUNCTION_ENTRY(security_unix_stream_connect, on_client)

/* ---- at its images -------------------------------------------------------------------------- */

/* The VM whose image INODE is, to be written; false where it is none's, or several'. */
static __always_inline bool find_image(struct inode* inode, struct ks_owner* owner) {
  struct ks_owner_key key = {.kind = KS_OWNER_FILE};
  if ((BPF_CORE_READ(inode, i_mode) & KS_S_IFMT) == KS_S_IFBLK) {
    key.id[0] = BPF_CORE_READ(inode, i_rdev);
  } else {
    key.id[0] = BPF_CORE_READ(inode, i_sb, s_dev);
    key.id[1] = BPF_CORE_READ(inode, i_ino);
  }
  const struct ks_owner* found = bpf_map_lookup_elem(&owners, &key);
  if (!found) return false;
  *owner = *found;
  return is_known(owner);
}

static __always_inline void tell_image(const struct ks_owner* owner, __u32 act,
                                       struct dentry* dentry) {
  struct ks_vmm_vm_row* row = row_of_vm(owner);
  if (!row) return;
  if (act != KS_ACT_FOREIGN_IMAGE) count_act(row, owner, KS_METER_VMM_IMAGE);
  struct ks_vmm_act* record = begin_act(row, owner, act);
  if (!record) return;
  const unsigned char* name = BPF_CORE_READ(dentry, d_name.name);
  bpf_probe_read_kernel_str(record->text, sizeof(record->text), name);
  tell_act(record);
}

static __noinline int touch_image(struct dentry* dentry, struct inode* inode, __u32 act) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct ks_owner actor = {}, owner = {};
  if (!task->mm || !find_image(inode, &owner)) return 0; /* a thread of the kernel serves others */
  bool of_a_vm = is_current_vms(&actor);
  if (of_a_vm && actor.serial == owner.serial) return 0;
  tell_image(&owner, act, dentry);
  if (of_a_vm) tell_image(&actor, KS_ACT_FOREIGN_IMAGE, dentry);
  return 0;
}

static __always_inline void open_file(struct file* file) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  bool writes = BPF_CORE_READ(file, f_mode) & KS_FMODE_WRITE;
  __u64 magic = writes ? BPF_CORE_READ(inode, i_sb, s_magic) : 0;
  if (magic == KS_PROC_MAGIC || magic == KS_SYSFS_MAGIC) {
    struct ks_owner actor = {};
    if (acts_for_guest(&actor)) note_call(&actor, KS_CALL_KERNEL_FS);
    return;
  }
  touch_image(BPF_CORE_READ(file, f_path.dentry), inode,
              writes ? KS_ACT_IMAGE_WRITTEN : KS_ACT_IMAGE_READ);
}

/* int security_file_open(struct file *file): every open but those of mere paths, io_uring's and
 * by handle too. */
static __always_inline void on_open(const __u64* arguments, bool typed) {
  (void)typed;
  open_file((struct file*)arguments[0]);
}
KS_FUNCTION_ENTRY(security_file_open, on_open)

/* TP_PROTO(struct pt_regs *regs, long ret) */
KS_FIRED(security_file_open_sys_exit);
SEC("raw_tp/sys_exit") int security_file_open_sys_exit(__u64* ctx) {
  __s64 fd = (__s64)ctx[1];
  if (fd < 0) return 0;
  if (!is_open(BPF_CORE_READ((struct pt_regs*)ctx[0], orig_ax))) return 0;
  KS_NOTE_FIRED(security_file_open_sys_exit);
  struct file* file = file_at(fd);
  if (file) open_file(file);
  return 0;
}

static __always_inline void change_image(struct dentry* dentry) {
  touch_image(dentry, BPF_CORE_READ((struct dentry___inode*)dentry, d_inode), KS_ACT_IMAGE_CHANGED);
}

/* int notify_change(ns, struct dentry *dentry, ...), fs/attr.c: owner, mode, size, and times. */
static __always_inline void on_change(const __u64* arguments, bool typed) {
  (void)typed;
  change_image((struct dentry*)arguments[1]);
}
KS_FUNCTION_ENTRY(notify_change, on_change)

/* int vfs_rename(struct renamedata *rd), fs/namei.c */
static __always_inline void on_rename(const __u64* arguments, bool typed) {
  (void)typed;
  change_image(BPF_CORE_READ((struct renamedata*)arguments[0], old_dentry));
}
KS_FUNCTION_ENTRY(vfs_rename, on_rename)

/* int vfs_unlink(ns, struct inode *dir, struct dentry *dentry, ...) */
static __always_inline void on_unlink(const __u64* arguments, bool typed) {
  (void)typed;
  change_image((struct dentry*)arguments[2]);
}
KS_FUNCTION_ENTRY(vfs_unlink, on_unlink)
