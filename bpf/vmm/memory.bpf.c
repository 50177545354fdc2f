/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The memory of a VM and of its processes: strangers that reach into it or fill its pages, and
 * memory that the guest should not have been handed.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/vmm/calls.bpf.h"

KS_LICENSE;

#define KS_PTRACE_MODE_ATTACH 2 /* include/linux/ptrace.h */
#define KS_PTRACE_TRACEME 0     /* include/uapi/linux/ptrace.h */
#define KS_PTRACE_ATTACH 16
#define KS_PTRACE_SEIZE 0x4206
#define KS_PF_IO_WORKER 0x10 /* include/linux/sched.h */
#define KS_NR_READ 0         /* arch/x86/entry/syscalls/syscall_64.tbl */
#define KS_NR_PREAD 17
#define KS_NR_READV 19

/* ---- strangers ------------------------------------------------------------------------------ */

/* The process TGID was reached into; it began at BEGIN and has the address space MM, as far as is
 * known (0: not). */
static __always_inline void reach_into(__u64 mm, __u32 tgid, __u64 begin) {
  struct task_struct* task = bpf_get_current_task_btf();
  if (task->tgid == (int)tgid) return;
  struct ks_owner actor = {}, owner = {};
  int belongs = vm_of_current(&actor);
  if (belongs != KS_NOBODYS) note_call(KS_CALL_PTRACE);
  if (vm_of_process(mm, tgid, begin, &owner) != KS_A_VMS) return;
  if (belongs == KS_A_VMS && actor.serial == owner.serial) return;
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

/* int security_ptrace_traceme(struct task_struct *parent): the current process has its parent trace
 * it, which may do with it then what it likes. */
static __always_inline void on_traceme(const __u64* arguments, bool typed) {
  (void)arguments;
  (void)typed;
  note_call(KS_CALL_PTRACE);
}
KS_FUNCTION_ENTRY(security_ptrace_traceme, on_traceme)

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
  report_stranger((__u64)BPF_CORE_READ(faults, mm), KS_ACT_PAGER);
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
    else if (call.arguments[0] == KS_PTRACE_TRACEME)
      note_call(KS_CALL_PTRACE);
  } else {
    reach_into(0, call.arguments[0], 0);
  }
  return 0;
}

/* ---- memory that is handed to the guest ------------------------------------------------------ */

#define KS_VM_PFNMAP 0x400 /* include/linux/mm.h */
#define KS_VM_IO 0x4000

struct special {
  __u64 flags;
  char name[8]; /* of the file behind it */
};

static long note_special(struct task_struct* task, struct vm_area_struct* vma,
                         struct special* found) {
  (void)task;
  found->flags = BPF_CORE_READ(vma, vm_flags);
  const unsigned char* name = BPF_CORE_READ(vma, vm_file, f_path.dentry, d_name.name);
  if (name) bpf_probe_read_kernel_str(found->name, sizeof(found->name), name);
  return 0;
}

/* "[vfio-device]" of a group, "vfio0" of a device's own node; only drivers have such mappings. */
static __always_inline bool is_vfios(const struct special* found) {
  const char* name = found->name[0] == '[' ? found->name + 1 : found->name;
  return name[0] == 'v' && name[1] == 'f' && name[2] == 'i' && name[3] == 'o';
}

/* Memory of devices has no struct page of its own; guests that could free such a page could keep
 * it, CVE-2021-22543. */
static __always_inline void look_for_device(const struct kvm_memory_slot* slot,
                                            struct ks_vmm_vm_row* row,
                                            const struct ks_owner* owner) {
  struct special found = {};
  bpf_find_vma(bpf_get_current_task_btf(), BPF_CORE_READ(slot, userspace_addr), note_special,
               &found, 0);
  if (!(found.flags & (KS_VM_PFNMAP | KS_VM_IO))) return;
  __u32 kind = is_vfios(&found) ? KS_SLOT_VFIO : KS_SLOT_SPECIAL;
  note_member(row, owner, KS_ACT_SLOT, &row->slots, 64, kind);
}

#define KS_FIRST_MIB 0x100000ULL
#define KS_PAGE_BITS 12

struct slot_range {
  __u64 begin, end; /* addresses of the guest */
  __u64 at;         /* the address in the VMM, less that of the guest */
};

static __always_inline struct slot_range range_of(const struct kvm_memory_slot* slot) {
  struct slot_range range = {.begin = BPF_CORE_READ(slot, base_gfn) << KS_PAGE_BITS};
  range.end = range.begin + ((__u64)BPF_CORE_READ(slot, npages) << KS_PAGE_BITS);
  range.at = BPF_CORE_READ(slot, userspace_addr) - range.begin;
  return range;
}

/* A VMM cuts the guest's main memory into other slots while the guest runs, as firmware locks parts
 * of it. But what lies at an address stays the same. Of the slots that it takes away or moves, the
 * first that holds the second MiB is kept: every machine has memory there. Below that, windows of
 * devices come and go. */
static __always_inline void keep_taken(const struct kvm_memory_slot* old,
                                       struct ks_vmm_vm_row* row) {
  if (row->memory_end) return;
  struct slot_range range = range_of(old);
  if (range.begin > KS_FIRST_MIB || range.end <= KS_FIRST_MIB) return;
  row->memory_at = range.at;
  row->memory_end = range.end;
}

/* A guest that speaks Hyper-V's language has pages for messages laid over its memory, where it
 * likes (QEMU, hw/hyperv/hyperv.c, synic_update). */
static __always_inline bool is_overlay(const struct kvm* kvm, const struct slot_range* range) {
  if (range->end - range->begin > 1ULL << KS_PAGE_BITS) return false;
  return bpf_core_field_exists(kvm->arch.hyperv) &&
         BPF_CORE_READ(kvm, arch.hyperv.hv_guest_os_id) != 0;
}

static __always_inline void look_for_exchange(const struct kvm* kvm,
                                              const struct kvm_memory_slot* slot,
                                              struct ks_vmm_vm_row* row,
                                              const struct ks_owner* owner) {
  if (!row->memory_end) return;
  struct slot_range range = range_of(slot);
  bool overlaps = range.begin < row->memory_end && range.end > KS_FIRST_MIB;
  if (overlaps && range.at != row->memory_at && !is_overlay(kvm, &range))
    note_member(row, owner, KS_ACT_SLOT, &row->slots, 64, KS_SLOT_EXCHANGED);
}

/* int kvm_arch_prepare_memory_region(struct kvm *kvm, const struct kvm_memory_slot *old, struct
 * kvm_memory_slot *new, enum kvm_mr_change change), arch/x86/kvm/x86.c: KVM's own copies, NULL
 * where there was none, or will be none. Where a process has several VMs, what lies at an address
 * is looked at of the first alone, whose acts these are. */
static __always_inline void on_slot(const __u64* arguments, bool typed) {
  (void)typed;
  const struct kvm_memory_slot* old = (const struct kvm_memory_slot*)arguments[1];
  const struct kvm_memory_slot* slot = (const struct kvm_memory_slot*)arguments[2];
  struct ks_owner owner = {};
  if (!is_current_vms(&owner)) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  const struct ks_vm_row* vm = vm_row(owner.slot);
  if (!row || !vm) return;
  if (slot) look_for_device(slot, row, &owner);
  if (vm->kvm != arguments[0] || !has_begun(owner.slot)) return;
  bool taken = old && (!slot || BPF_CORE_READ(old, base_gfn) != BPF_CORE_READ(slot, base_gfn));
  if (taken) keep_taken(old, row);
  if (slot) look_for_exchange((const struct kvm*)arguments[0], slot, row, &owner);
}
KS_FUNCTION_ENTRY(kvm_arch_prepare_memory_region, on_slot)
