/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a VM's processes do that no VMM does once its guest runs: they make memory executable, call
 * on interfaces of the kernel that are not for them, or are refused a call by their own filter.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/vmm/calls.bpf.h"

KS_LICENSE;

#define KS_PROT_WRITE 2 /* include/uapi/asm-generic/mman-common.h */
#define KS_PROT_EXEC 4
#define KS_MAP_ANONYMOUS 0x20
#define KS_EPERM 1

/* ---- executable memory ---------------------------------------------------------------------- */

static __always_inline void note_code(__u32 code) {
  struct ks_owner owner = {};
  if (!acts_for_guest(&owner)) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  if (row) note_bit(&row->code, 64, &row->changed, code);
}

static __always_inline __u32 code_of(__u64 protection, bool file) {
  if (protection & KS_PROT_WRITE) return KS_CODE_WRITABLE;
  return file ? KS_CODE_FILE : KS_CODE_ANONYMOUS;
}

/* int security_mmap_file(struct file *file, unsigned long prot, unsigned long flags),
 * security/security.c */
static __always_inline void on_map(const __u64* arguments, bool typed) {
  (void)typed;
  if (arguments[1] & KS_PROT_EXEC) note_code(code_of(arguments[1], arguments[0] != 0));
}
KS_FUNCTION_ENTRY(security_mmap_file, on_map)

struct mapping {
  __u64 protection;
  __u32 code;
};

static long classify(struct task_struct* task, struct vm_area_struct* vma, struct mapping* found) {
  __u64 stack = BPF_CORE_READ(task, mm, start_stack);
  bool file = BPF_CORE_READ(vma, vm_file) != 0;
  bool of_stack = BPF_CORE_READ(vma, vm_start) <= stack && stack < BPF_CORE_READ(vma, vm_end);
  found->code = of_stack ? KS_CODE_STACK : code_of(found->protection, file);
  return 0;
}

/* int security_file_mprotect(struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
 */
static __always_inline void on_protect(const __u64* arguments, bool typed) {
  (void)typed;
  if (!(arguments[2] & KS_PROT_EXEC)) return;
  struct mapping found = {.protection = arguments[2]};
  classify(bpf_get_current_task_btf(), (struct vm_area_struct*)arguments[0], &found);
  note_code(found.code);
}
KS_FUNCTION_ENTRY(security_file_mprotect, on_protect)

KS_FIRED(security_mmap_file_sys_enter);
SEC("raw_tp/sys_enter") int security_mmap_file_sys_enter(__u64* ctx) {
  struct ks_call_now call = call_now(ctx[0], ctx[1]);
  if (call.kind != KS_MAP && call.kind != KS_PROTECT) return 0;
  KS_NOTE_FIRED(security_mmap_file_sys_enter);
  __u64 protection = call.arguments[2];
  if (!(protection & KS_PROT_EXEC)) return 0;
  struct mapping found = {.protection = protection,
                          .code = code_of(protection, !(call.arguments[3] & KS_MAP_ANONYMOUS))};
  if (call.kind == KS_PROTECT) {
    found.code = code_of(protection, false);
    bpf_find_vma(bpf_get_current_task_btf(), call.arguments[0], classify, &found, 0);
  }
  note_code(found.code);
  return 0;
}

/* ---- calls on the kernel -------------------------------------------------------------------- */

static __always_inline void note_own_call(__u32 family) {
  struct ks_owner owner = {};
  if (acts_for_guest(&owner)) note_call(&owner, family);
}

#define CALLS(function, family)                                                 \
  static __always_inline void function##_called(const __u64* ctx, bool typed) { \
    (void)ctx;                                                                  \
    (void)typed;                                                                \
    note_own_call(family);                                                      \
  }                                                                             \
  KS_FUNCTION_ENTRY(function, function##_called)

/* security/security.c; all are called at rare system calls only. */
CALLS(create_user_ns, KS_CALL_NAMESPACE) /* kernel/user_namespace.c */
CALLS(security_sb_mount, KS_CALL_MOUNT)
CALLS(security_sb_umount, KS_CALL_MOUNT)
CALLS(security_move_mount, KS_CALL_MOUNT)
CALLS(security_kernel_load_data, KS_CALL_MODULE)
CALLS(security_kernel_read_file, KS_CALL_MODULE)
CALLS(security_bpf, KS_CALL_BPF)
CALLS(security_perf_event_open, KS_CALL_PERF)

/* int security_task_fix_setuid(struct cred *new, const struct cred *old, int flags): giving rights
 * up is what a VMM should do. */
static __always_inline void on_user(const __u64* arguments, bool typed) {
  (void)typed;
  const struct cred* now = (const struct cred*)arguments[0];
  const struct cred* before = (const struct cred*)arguments[1];
  bool is_root = !BPF_CORE_READ(now, euid.val) || !BPF_CORE_READ(now, fsuid.val);
  bool was_root = !BPF_CORE_READ(before, euid.val) && !BPF_CORE_READ(before, fsuid.val);
  if (is_root && !was_root) note_own_call(KS_CALL_CREDENTIALS);
}
KS_FUNCTION_ENTRY(security_task_fix_setuid, on_user)

/* int security_capset(struct cred *new, const struct cred *old, ...) */
static __always_inline void on_capabilities(const __u64* arguments, bool typed) {
  (void)typed;
  __u64 now = 0, before = 0; /* one number, or two halves in that order */
  const struct cred* new = (const struct cred*)arguments[0];
  const struct cred* old = (const struct cred*)arguments[1];
  bpf_core_read(&now, sizeof(now), &new->cap_effective);
  bpf_core_read(&before, sizeof(before), &old->cap_effective);
  if (now & ~before) note_own_call(KS_CALL_CREDENTIALS);
}
KS_FUNCTION_ENTRY(security_capset, on_capabilities)

/* void switch_task_namespaces(struct task_struct *tsk, struct nsproxy *new), kernel/nsproxy.c: with
 * none when a task ends. */
static __always_inline void on_namespaces(const __u64* arguments, bool typed) {
  (void)typed;
  if (arguments[1]) note_own_call(KS_CALL_NAMESPACE);
}
KS_FUNCTION_ENTRY(switch_task_namespaces, on_namespaces)

KS_FIRED(security_task_fix_setuid_sys_enter);
SEC("raw_tp/sys_enter") int security_task_fix_setuid_sys_enter(__u64* ctx) {
  struct ks_call_now call = call_now(ctx[0], ctx[1]);
  if (call.family == KS_NO_FAMILY || call.family == KS_CALL_PTRACE) return 0;
  /* Giving rights up is what a VMM should do. */
  if (call.kind == KS_FIRST_ID && (__u32)call.arguments[0]) return 0;
  if (call.kind == KS_SECOND_ID && (__u32)call.arguments[1]) return 0;
  KS_NOTE_FIRED(security_task_fix_setuid_sys_enter);
  note_own_call(call.family);
  return 0;
}

/* ---- refused by its filter ------------------------------------------------------------------ */

static __always_inline void note_refused(void) {
  struct ks_owner owner = {};
  if (!acts_for_guest(&owner)) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  if (!row) return;
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(bpf_get_current_task_btf());
  __u64 number = regs->orig_ax;
  count_act(row, &owner, KS_METER_VMM_REFUSED);
  note_bit(row->refused, KS_VMM_SYSCALLS, &row->changed,
           number < KS_VMM_SYSCALLS ? number : KS_VMM_SYSCALLS - 1);
}

/* int __secure_computing(...), kernel/seccomp.c: called for tasks with a filter alone; not 0 where
 * the call is not to be made. Its arguments have changed, so they are not used. */
KS_FIRED(__secure_computing_fexit);
SEC("fexit/__secure_computing") int __secure_computing_fexit(void* ctx) {
  KS_NOTE_FIRED(__secure_computing_fexit);
  __u64 result = 0;
  if (!bpf_get_func_ret(ctx, &result) && (int)result) note_refused();
  return 0;
}

/* A filter may refuse by whatever error; it is EPERM that is usual. */
KS_FIRED(__secure_computing_sys_exit);
SEC("raw_tp/sys_exit") int __secure_computing_sys_exit(__u64* ctx) {
  if ((__s64)ctx[1] != -KS_EPERM) return 0;
  struct task_struct___vmm* task = (void*)bpf_get_current_task_btf();
  if (!BPF_CORE_READ(task, seccomp.mode)) return 0;
  KS_NOTE_FIRED(__secure_computing_sys_exit);
  note_refused();
  return 0;
}
