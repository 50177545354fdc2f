/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What strangers do to a VM: reach into the memory of its processes or open the files that it lies
 * in, connect to their sockets, open its images, or change them by their path. A stranger is any
 * process that is not of this VM. The same hooks show a VM's own processes at the services, files
 * and processes of the host.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/vmm/calls.bpf.h"
#include "bpf/vmm/files.bpf.h"

KS_LICENSE;

#define KS_PTRACE_MODE_ATTACH 2 /* include/linux/ptrace.h */
#define KS_PTRACE_ATTACH 16     /* include/uapi/linux/ptrace.h */
#define KS_PTRACE_SEIZE 0x4206
#define KS_PF_IO_WORKER 0x10 /* include/linux/sched.h */
#define KS_FMODE_WRITE 2     /* include/linux/fs.h */
#define KS_NR_READ 0         /* arch/x86/entry/syscalls/syscall_64.tbl */
#define KS_NR_PREAD 17
#define KS_NR_READV 19

/* Of iattr.ia_valid, include/linux/fs.h: what is more than a change of times. */
#define KS_ATTR_MODE 1
#define KS_ATTR_UID 2
#define KS_ATTR_GID 4
#define KS_ATTR_SIZE 8

/* ---- into its memory ------------------------------------------------------------------------ */

/* The process TGID was reached into; it began at BEGIN and has the address space MM, as far as is
 * known (0: not). */
static __always_inline void reach_into(__u64 mm, __u32 tgid, __u64 begin) {
  struct task_struct* task = bpf_get_current_task_btf();
  if (task->tgid == (int)tgid) return;
  struct ks_owner actor = {}, owner = {};
  bool of_a_vm = is_current_vms(&actor);
  if (of_a_vm) note_call(KS_CALL_PTRACE);
  if (vm_of_process(mm, tgid, begin, &owner) != KS_A_VMS) return;
  if (of_a_vm && actor.serial == owner.serial) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  if (!row) return;
  count_act(row, &owner, KS_METER_VMM_ENTERED);
  struct ks_vmm_act* record = begin_act(row, &owner, KS_ACT_ENTERED);
  if (record) submit_act(record);
}

/* Files of /proc/PID that show where a thread is in the kernel (stack, syscall) ask for the same
 * right as ptrace, while they are read; memory's is asked for when its file is opened. */
static __always_inline bool only_looks(void) {
  struct task_struct* task = bpf_get_current_task_btf();
  /* A worker of io_uring has the registers of who made it. */
  if (BPF_CORE_READ((struct task_struct___vmm*)task, flags) & KS_PF_IO_WORKER || is_compat())
    return false;
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  __u64 number = regs->orig_ax;
  return number == KS_NR_READ || number == KS_NR_PREAD || number == KS_NR_READV;
}

/* int security_ptrace_access_check(struct task_struct *child, unsigned int mode),
 * security/security.c: asked before ptrace, process_vm_readv and _writev, before /proc/PID/mem is
 * opened and a descriptor is taken by pidfd_getfd. */
static __always_inline void on_access(const __u64* arguments, bool typed) {
  (void)typed;
  if (!((__u32)arguments[1] & KS_PTRACE_MODE_ATTACH) || only_looks()) return;
  struct task_struct* target = (struct task_struct*)arguments[0];
  reach_into((__u64)BPF_CORE_READ(target, mm), BPF_CORE_READ(target, tgid), begin_of(target));
}
KS_FUNCTION_ENTRY(security_ptrace_access_check, on_access)

/* include/uapi/linux/userfaultfd.h; FILL: COPY, ZEROPAGE, MOVE, CONTINUE and POISON. */
#define KS_UFFDIO 0xaa
#define KS_UFFDIO_FILL (1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8)

/* long userfaultfd_ioctl(struct file *file, unsigned cmd, unsigned long arg), fs/userfaultfd.c: who
 * handles the faults of an address space says what its pages hold. A VMM does so for itself once it
 * has moved, but the descriptor may be given to others. */
static __always_inline void on_faults(const __u64* arguments, bool typed) {
  (void)typed;
  __u32 type = arguments[1] >> 8 & 0xff, number = arguments[1] & 0xff;
  if (type != KS_UFFDIO || number >= 32 || !(KS_UFFDIO_FILL >> number & 1)) return;
  struct userfaultfd_ctx* faults =
      (struct userfaultfd_ctx*)BPF_CORE_READ((struct file*)arguments[0], private_data);
  __u64 mm = (__u64)BPF_CORE_READ(faults, mm);
  struct ks_owner actor = {}, owner = {};
  if (mm == (__u64)bpf_get_current_task_btf()->mm) return;
  if (vm_of_process(mm, 0, 0, &owner) != KS_A_VMS) return;
  if (is_current_vms(&actor) && actor.serial == owner.serial) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  struct ks_vmm_act* record = row ? begin_act(row, &owner, KS_ACT_PAGER) : 0;
  if (record) submit_act(record);
}
KS_FUNCTION_ENTRY(userfaultfd_ioctl, on_faults)

/* By the number of the target alone, as the host's own namespace numbers it. */
KS_FIRED(security_ptrace_access_check_sys_enter);
SEC("raw_tp/sys_enter") int security_ptrace_access_check_sys_enter(__u64* ctx) {
  struct ks_call_now call = call_now(ctx[0], ctx[1]);
  if (call.family != KS_CALL_PTRACE) return 0;
  KS_NOTE_FIRED(security_ptrace_access_check_sys_enter);
  if (call.kind == KS_PTRACE) {
    if (call.arguments[0] == KS_PTRACE_ATTACH || call.arguments[0] == KS_PTRACE_SEIZE)
      reach_into(0, call.arguments[1], 0);
  } else {
    reach_into(0, call.arguments[0], 0);
  }
  return 0;
}

/* ---- at sockets ----------------------------------------------------------------------------- */

/* "@NAME" of an abstract socket, whose name begins with a 0 and does not end in one. */
static __always_inline void name_abstract(struct unix_address* address, struct ks_vmm_act* record) {
  int length = BPF_CORE_READ(address, len) - (int)sizeof(__u16) - 1;
  if (length <= 0 || length >= (int)sizeof(record->text) - 1) return;
  record->text[0] = '@';
  const char* path = (const char*)&address->name[0].sun_path;
  bpf_probe_read_kernel(record->text + 1, length & 63, path + 1);
}

static __always_inline void submit_socket(struct ks_vmm_vm_row* row, const struct ks_owner* owner,
                                          __u32 act, struct sock* listener) {
  struct ks_vmm_act* record = begin_act(row, owner, act);
  if (!record) return;
  struct unix_address* address = BPF_CORE_READ((struct unix_sock*)listener, addr);
  if (address) {
    bpf_core_read_str(record->text, sizeof(record->text), &address->name[0].sun_path);
    if (!record->text[0]) name_abstract(address, record);
  }
  submit_act(record);
}

/* int security_unix_stream_connect(struct sock *sock, struct sock *other, struct sock *newsk):
 * OTHER listens, and remembers the process that asked for that. */
static __always_inline void on_client(const __u64* arguments, bool typed) {
  (void)typed;
  struct sock* other = (struct sock*)arguments[1];
  struct pid___numbers* listener = (void*)BPF_CORE_READ(other, sk_peer_pid);
  struct ks_owner actor = {}, owner = {};
  bool to_a_vm =
      listener && vm_of_process(0, BPF_CORE_READ(listener, numbers[0].nr), 0, &owner) == KS_A_VMS;
  bool of_a_vm = is_current_vms(&actor);
  if (to_a_vm && of_a_vm && actor.serial == owner.serial) return;
  if (of_a_vm && has_begun(actor.slot)) {
    struct ks_vmm_vm_row* row = row_of_vm(&actor);
    if (row) submit_socket(row, &actor, KS_ACT_SERVICE, other);
  }
  if (to_a_vm && has_begun(owner.slot)) {
    struct ks_vmm_vm_row* row = row_of_vm(&owner);
    if (row) submit_socket(row, &owner, KS_ACT_CLIENT, other);
  }
}
KS_FUNCTION_ENTRY(security_unix_stream_connect, on_client)

/* ---- at images and memory ------------------------------------------------------------------- */

/* The VM whose image, to be written, or memory is KEY; false where it is none's, or several', or
 * that VM has ended: who opens the file then is no stranger any more. */
static __always_inline bool find_owned(const struct ks_owner_key* key, struct ks_owner* owner) {
  const struct ks_owner* found = bpf_map_lookup_elem(&owners, key);
  if (!found || found->several) return false;
  *owner = *found;
  const struct ks_vm_row* vm = vm_row(owner->slot);
  if (!vm || !is_known(owner)) return false;
  struct kvm* kvm = (struct kvm*)vm->kvm;
  return BPF_CORE_READ(kvm, users_count.refs.counter) > 0;
}

static __always_inline void report_file(const struct ks_owner* owner, __u32 act,
                                        struct dentry* dentry) {
  struct ks_vmm_vm_row* row = row_of_vm(owner);
  if (!row) return;
  if (act == KS_ACT_MEMORY_OPENED)
    count_act(row, owner, KS_METER_VMM_ENTERED);
  else if (act != KS_ACT_FOREIGN_IMAGE)
    count_act(row, owner, KS_METER_VMM_IMAGE);
  struct ks_vmm_act* record = begin_act(row, owner, act);
  if (!record) return;
  const unsigned char* name = BPF_CORE_READ(dentry, d_name.name);
  bpf_probe_read_kernel_str(record->text, sizeof(record->text), name);
  submit_act(record);
}

/* OF_NAME: the file's name alone is changed, by which no guest finds its memory. */
static __noinline int touch_file(struct dentry* dentry, const struct ks_owner_key* key, __u32 act,
                                 bool of_name) {
  struct ks_owner actor = {}, owner = {};
  if (!key || !find_owned(key, &owner) || (of_name && owner.is_memory)) return 0;
  bool of_a_vm = is_current_vms(&actor);
  if (of_a_vm && actor.serial == owner.serial) return 0;
  report_file(&owner, owner.is_memory ? KS_ACT_MEMORY_OPENED : act, dentry);
  if (!of_a_vm) return 0;
  if (owner.is_memory)
    note_call(KS_CALL_PTRACE);
  else
    report_file(&actor, KS_ACT_FOREIGN_IMAGE, dentry);
  return 0;
}

static __always_inline void on_file(struct file* file, const struct ks_opened* opened) {
  /* A thread of the kernel opens for others. */
  if (!bpf_get_current_task_btf()->mm) return;
  bool writes = opened->mode & KS_FMODE_WRITE;
  if (opened->is_memory) {
    note_call(KS_CALL_MEMORY);
  } else if (writes && is_kernel_fs(opened->magic)) {
    note_call(KS_CALL_KERNEL_FS);
  } else if (opened->key.kind) {
    touch_file(BPF_CORE_READ(file, f_path.dentry), &opened->key,
               writes ? KS_ACT_IMAGE_WRITTEN : KS_ACT_IMAGE_READ, false);
  }
}

/* int security_file_open(struct file *file): every open but those of mere paths, io_uring's and
 * by handle too. */
static __always_inline void on_open(const __u64* arguments, bool typed) {
  struct file* file = (struct file*)arguments[0];
  struct ks_opened opened = {};
  if (typed) {
    KS_READ_OPENED(opened, file, KS_TYPED);
  } else {
    KS_READ_OPENED(opened, file, BPF_CORE_READ);
  }
  on_file(file, &opened);
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
  if (!file) return 0;
  struct ks_opened opened = {};
  KS_READ_OPENED(opened, file, BPF_CORE_READ);
  on_file(file, &opened);
  return 0;
}

static __always_inline void change_file(struct dentry* dentry, bool of_name) {
  struct inode* inode = BPF_CORE_READ((struct dentry___inode*)dentry, d_inode);
  if (!inode) return; /* a name that is free */
  struct ks_owner_key key = {};
  KS_READ_IMAGE_KEY(key, inode, BPF_CORE_READ);
  if (key.kind) touch_file(dentry, &key, KS_ACT_IMAGE_CHANGED, of_name);
}

/* A change is reported once it was made: fexit is handed the result; a kprobe comes before it. */
#define KS_CHANGE(function, count, handler)                              \
  KS_FIRED(function##_fexit);                                            \
  KS_FIRED(function##_kprobe);                                           \
  SEC("fexit/" #function) int function##_fexit(__u64* ctx) {             \
    KS_NOTE_FIRED(function##_fexit);                                     \
    if (!(int)ctx[count]) handler(ctx);                                  \
    return 0;                                                            \
  }                                                                      \
  SEC("kprobe/" #function) int function##_kprobe(struct pt_regs* regs) { \
    KS_NOTE_FIRED(function##_kprobe);                                    \
    __u64 arguments[] = {regs->di, regs->si, regs->dx};                  \
    handler(arguments);                                                  \
    return 0;                                                            \
  }

/* int notify_change(ns, struct dentry *dentry, struct iattr *attr, struct inode **delegated),
 * fs/attr.c: owner, mode, size, and times. */
static __always_inline void on_change(const __u64* arguments) {
  __u32 what = BPF_CORE_READ((struct iattr*)arguments[2], ia_valid);
  if (what & (KS_ATTR_MODE | KS_ATTR_UID | KS_ATTR_GID | KS_ATTR_SIZE))
    change_file((struct dentry*)arguments[1], false);
}
KS_CHANGE(notify_change, 4, on_change)

/* int vfs_rename(struct renamedata *rd), fs/namei.c: of what is renamed, or replaced by that. */
static __always_inline void on_rename(const __u64* arguments) {
  struct renamedata* renamed = (struct renamedata*)arguments[0];
  change_file(BPF_CORE_READ(renamed, old_dentry), true);
  change_file(BPF_CORE_READ(renamed, new_dentry), true);
}
KS_CHANGE(vfs_rename, 1, on_rename)

/* int vfs_unlink(ns, struct inode *dir, struct dentry *dentry, struct inode **delegated) */
static __always_inline void on_unlink(const __u64* arguments) {
  change_file((struct dentry*)arguments[2], true);
}
KS_CHANGE(vfs_unlink, 4, on_unlink)
