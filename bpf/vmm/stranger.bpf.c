/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Strangers at a VM's sockets and files: they connect to its processes, open its images or what its
 * memory lies in, or change images by their path. A stranger is any process that is not of this VM.
 * The same hooks show a VM's own processes at the services and files of the host.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/number.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/vmm/calls.bpf.h"
#include "bpf/vmm/files.bpf.h"
#include "bpf/vmm/path.bpf.h"

KS_LICENSE;

#define KS_FMODE_WRITE 2 /* include/linux/fs.h */

/* Of iattr.ia_valid, include/linux/fs.h: what is more than a change of times. */
#define KS_ATTR_MODE 1
#define KS_ATTR_UID 2
#define KS_ATTR_GID 4
#define KS_ATTR_SIZE 8

/* ---- at sockets ----------------------------------------------------------------------------- */

/* "@NAME" of an abstract socket, whose name begins with a 0 and does not end in one. */
static __always_inline void name_abstract(struct unix_address* address, struct ks_vmm_act* record) {
  int length = BPF_CORE_READ(address, len) - (int)sizeof(__u16) - 1;
  if (length <= 0 || length >= (int)sizeof(record->text) - 1) return;
  record->text[0] = '@';
  const char* path = (const char*)&address->name[0].sun_path;
  bpf_probe_read_kernel(record->text + 1, length & (sizeof(record->text) - 1), path + 1);
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
  struct pid___vmm* listener = (void*)BPF_CORE_READ(other, sk_peer_pid);
  struct ks_owner actor = {}, owner = {};
  /* Once that process has gone, its number may be a VMM's. */
  bool lives = listener && BPF_CORE_READ(listener, tasks[1].first);
  bool to_a_vm =
      lives && vm_of_process(0, BPF_CORE_READ(listener, numbers[0].nr), 0, &owner) == KS_A_VMS;
  int belongs = vm_of_current(&actor);
  if (to_a_vm && belongs == KS_A_VMS && actor.serial == owner.serial) return;
  bool acts = belongs == KS_A_VMS || (belongs == KS_A_HELPERS && actor.serial != owner.serial);
  if (acts && has_begun(actor.slot)) {
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
static __always_inline bool find_owned(const struct ks_owner_key* key, __u32 generation,
                                       struct ks_owner* owner) {
  const struct ks_owner* found = owner_of_file(key, generation);
  if (!found || found->several) return false;
  *owner = *found;
  const struct ks_vm_row* vm = vm_row(owner->slot);
  if (!vm || !is_known(owner)) return false;
  struct kvm* kvm = (struct kvm*)vm->kvm;
  return BPF_CORE_READ(kvm, users_count.refs.counter) > 0;
}

/* Not static, like others below: so the verifier follows them once, and not once more for each way
 * that leads here. They take addresses as numbers. */
__noinline int report_file(const struct ks_owner* owner, __u32 act, __u64 address) {
  struct dentry* dentry = (struct dentry*)address;
  struct ks_vmm_vm_row* row = owner ? row_of_vm(owner) : 0;
  if (!row) return 0;
  if (act == KS_ACT_MEMORY_OPENED)
    count_act(row, owner, KS_METER_VMM_ENTERED);
  else if (act != KS_ACT_FOREIGN_IMAGE)
    count_act(row, owner, KS_METER_VMM_IMAGE);
  struct ks_vmm_act* record = begin_act(row, owner, act);
  if (!record) return 0;
  const unsigned char* name = BPF_CORE_READ(dentry, d_name.name);
  bpf_probe_read_kernel_str(record->text, sizeof(record->text), name);
  submit_act(record);
  return 0;
}

/* Whether the current process runs a program of the name that OWNER's VMM has. */
static __always_inline bool runs_its_vmms_program(const struct ks_owner* owner) {
  const struct ks_vm_row* vm = vm_row(owner->slot);
  if (!vm) return false;
  struct mm_struct* mm = bpf_get_current_task_btf()->mm;
  struct mm_struct* vmms = (struct mm_struct*)vm->mm;
  __u64 name[4] = {}, its[4] = {};
  const unsigned char* from = BPF_CORE_READ(mm, exe_file, f_path.dentry, d_name.name);
  bpf_probe_read_kernel_str(name, sizeof(name), from);
  from = BPF_CORE_READ(vmms, exe_file, f_path.dentry, d_name.name);
  bpf_probe_read_kernel_str(its, sizeof(its), from);
  return name[0] == its[0] && name[1] == its[1] && name[2] == its[2] && name[3] == its[3];
}

/* OF_NAME: the file's name alone is changed, by which no guest finds its memory. */
__noinline int touch_file(__u64 dentry, const struct ks_owner_key* key, __u32 generation, __u32 act,
                          bool of_name) {
  struct ks_owner actor = {}, owner = {};
  if (!key) return 0;
  struct ks_owner_key copy = *key; /* before Linux 6.2 no memory of others may be a map's key */
  if (!find_owned(&copy, generation, &owner)) return 0;
  bool is_memory = owner.role == KS_ROLE_MEMORY;
  if (of_name && is_memory) return 0;
  bool of_a_vm = is_current_vms(&actor);
  if (of_a_vm && actor.serial == owner.serial) return 0;
  /* A VMM opens its disks before it has made its VM. */
  if (owner.role == KS_ROLE_SHARED && act != KS_ACT_IMAGE_CHANGED &&
      (!of_a_vm || !has_begun(actor.slot)) && runs_its_vmms_program(&owner))
    return 0;
  report_file(&owner, is_memory ? KS_ACT_MEMORY_OPENED : act, dentry);
  if (!of_a_vm) return 0;
  if (is_memory)
    note_call(KS_CALL_PTRACE);
  else
    report_file(&actor, KS_ACT_FOREIGN_IMAGE, dentry);
  return 0;
}

/* The current process opened a file: what a VM's process opens once its guest runs is reported,
 * unless it is the VM's own. ACT: KS_ACT_FILE_READ or KS_ACT_FILE_WRITTEN. */
__noinline int report_opened(__u64 address, __u32 act) {
  struct file* file = (struct file*)address;
  struct ks_owner owner = {};
  if (!acts_beyond(KS_ROLE_FILE_HELPER, &owner) || !has_begun(owner.slot)) return 0;
  /* Most files are harmless: one that nobody can be told of breaks no norm. */
  if (!is_watched(&owner)) {
    KS_LOSE(early_file);
    return 0;
  }
  struct mount* mount = (struct mount*)((__u64)BPF_CORE_READ(file, f_path.mnt) -
                                        bpf_core_field_offset(struct mount, mnt));
  struct ks_path path = {.depth = zero_that_changes(),
                         .dentry = BPF_CORE_READ(file, f_path.dentry),
                         .mount = mount,
                         .vm_serial = owner.serial};
  bpf_loop(KS_PATH_STEPS, step_up, &path, 0);
  if (path.given) return 0;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  struct ks_vmm_act* record = row ? begin_act(row, &owner, act) : 0;
  if (!record) return 0;
  record->cut = path.ended ? 0 : KS_CUT_BEGIN;
  struct ks_path_text text = {.path = &path, .record = record, .at = zero_that_changes()};
  bpf_loop(KS_PATH_PARTS + 1, write_part, &text, 0);
  submit_act(record);
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
    touch_file((__u64)BPF_CORE_READ(file, f_path.dentry), &opened->key, opened->generation,
               writes ? KS_ACT_IMAGE_WRITTEN : KS_ACT_IMAGE_READ, false);
    bool is_private = opened->is_private && !is_kernel_fs(opened->magic);
    if (writes || is_private)
      report_opened(address_of(file), writes ? KS_ACT_FILE_WRITTEN : KS_ACT_FILE_READ);
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
  __u32 generation = 0;
  KS_READ_IMAGE_KEY(key, generation, inode, BPF_CORE_READ);
  if (key.kind) touch_file(address_of(dentry), &key, generation, KS_ACT_IMAGE_CHANGED, of_name);
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
