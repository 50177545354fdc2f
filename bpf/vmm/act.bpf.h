/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How acts are reported: as records with who did it, of each kind of which a VM has a budget. An
 * act beyond it sets a bit in the VM's row, which costs nothing more however often that recurs: its
 * own where it is one of a few, else one that user space reports as a member outside every norm. So
 * a flood of harmless acts hides no other.
 */
#pragma once

#include "bpf/vmm/whose.bpf.h"
/* after the maps that it counts in: */
#include "bpf/meter.bpf.h"

#define KS_SECOND_NS 1000000000ULL

KS_DESCRIBE(ks_vmm_act);

static __always_inline struct ks_vmm_vm_row* row_of_vm(const struct ks_owner* owner) {
  struct ks_vmm_vm_row* row = vmm_vm_row(owner->slot, owner->serial);
  if (!row) KS_LOSE(row_lookup);
  return row;
}

/* Whether the current process acts for a VM: it is the VM's, or a helper's whose role is not WORK,
 * to which such an act belongs (KS_ROLE_OWN: to none's). */
static __always_inline bool acts_beyond(__u32 work, struct ks_owner* owner) {
  int belongs = vm_of_current(owner);
  if (belongs == KS_ORPHAN) KS_LOSE(orphan_act);
  return belongs == KS_A_VMS || (belongs == KS_A_HELPERS && owner->role != work);
}

/* The row of that VM; NULL where the current process does not act for one, and while the VM's guest
 * has not begun. */
static __always_inline struct ks_vmm_vm_row* acting_row(struct ks_owner* owner, __u32 work) {
  if (!acts_beyond(work, owner) || !has_begun(owner->slot)) return 0;
  return row_of_vm(owner);
}

static __always_inline void count_act(struct ks_vmm_vm_row* row, const struct ks_owner* owner,
                                      __u32 meter) {
  shared_add(&row->meters[meter], meter, 1, owner->slot, 0);
}

static __always_inline bool is_within_budget(struct ks_vmm_vm_row* row, __u32 act, __u64 now) {
  __u64 window = row->window_ns;
  if (now - window >= KS_SECOND_NS &&
      __sync_val_compare_and_swap(&row->window_ns, window, now) == window) {
#pragma unroll
    for (int i = 0; i < KS_ACTS; i++) row->sent[i] = 0;
  }
  asm volatile("" : "+r"(act)); /* lest the compiler bound another copy of it */
  if (act >= KS_ACTS) return false;
  return __sync_fetch_and_add(&row->sent[act], 1) < KS_ACTS_PER_SECOND;
}

/* The file name of the program that TASK runs. */
static __always_inline void name_program(struct task_struct* task, char* name, __u32 size) {
  struct file* file = BPF_CORE_READ(task, mm, exe_file);
  const unsigned char* text = file ? BPF_CORE_READ(file, f_path.dentry, d_name.name) : 0;
  if (text) bpf_probe_read_kernel_str(name, size, text);
}

/* Who does it: the current process, its command line as it shows it, and where it comes from. */
static __noinline int describe_actor(struct ks_vmm_act* record) {
  if (!record) return 0;
  struct task_struct___vmm* task = (void*)bpf_get_current_task_btf();
  name_program((struct task_struct*)task, record->actor, sizeof(record->actor));
  record->uid = BPF_CORE_READ(task, cred, euid.val);
  struct mm_struct* mm = ((struct task_struct*)task)->mm;
  __u64 begin = BPF_CORE_READ(mm, arg_start);
  __u64 size = BPF_CORE_READ(mm, arg_end) - begin;
  if (size > sizeof(record->arguments)) size = sizeof(record->arguments);
  if (begin && !bpf_probe_read_user(record->arguments, size, (void*)begin))
    record->arguments_size = size;
  struct task_struct* parent = BPF_CORE_READ(task, real_parent);
  name_program(parent, record->parents[0], sizeof(record->parents[0]));
  parent = BPF_CORE_READ((struct task_struct___vmm*)parent, real_parent);
  name_program(parent, record->parents[1], sizeof(record->parents[1]));
  return 0;
}

/* What user space says of the VM; NULL while it does not know it. */
static __always_inline const struct ks_vmm_limits* limits_of(const struct ks_owner* owner) {
  __u32 slot = owner->slot;
  const struct ks_vmm_limits* limits = bpf_map_lookup_elem(&vmm_limits, &slot);
  return limits && limits->watched == owner->serial ? limits : 0;
}

/* Whether user space knows the VM by now: of others it can make nothing of a record. */
static __always_inline bool is_watched(const struct ks_owner* owner) {
  return limits_of(owner) != 0;
}

/* Whether the current process is the VMM of a VM that was given one of NETWORKS (ks_network), as
 * far as user space knows by now. What a VMM carries for its guest it does itself: no child of it
 * and no helper. */
static __always_inline bool carries_network(const struct ks_owner* owner, __u64 networks) {
  struct task_struct* task = bpf_get_current_task_btf();
  __u32 tgid = task->tgid;
  const struct ks_child* child = bpf_map_lookup_elem(&vmm_children, &tgid);
  if (owner->role != KS_ROLE_OWN || (child && child->begin == begin_of(task))) return false;
  const struct ks_vmm_limits* limits = limits_of(owner);
  return limits && limits->networks & networks;
}

/* A record of ACT by the current process, to be submitted; NULL where none may or can be sent. */
static __always_inline struct ks_vmm_act* reserve_act(struct ks_vmm_vm_row* row,
                                                      const struct ks_owner* owner, __u32 act) {
  __u64 now = bpf_ktime_get_ns();
  struct ks_vmm_act* record = 0;
  if (is_watched(owner) && is_within_budget(row, act, now)) {
    record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    if (!record) KS_LOSE(ring_full);
  }
  if (!record) return 0;
  __builtin_memset(record, 0, sizeof(*record));
  record->header.version = KS_LAYOUT_VERSION;
  record->header.kind = KS_RECORD_ACT;
  record->header.size = sizeof(*record);
  record->header.time_ns = now;
  record->header.vm_serial = owner->serial;
  record->source = KS_SOURCE_VMM;
  record->act = act;
  record->tgid = bpf_get_current_task_btf()->tgid;
  describe_actor(record);
  return record;
}

/* The same of an act that is reported in words: one that cannot be sent is noted. */
static __always_inline struct ks_vmm_act* begin_act(struct ks_vmm_vm_row* row,
                                                    const struct ks_owner* owner, __u32 act) {
  struct ks_vmm_act* record = reserve_act(row, owner, act);
  if (!record) note_bit(&row->unsent, 64, &row->changed, act);
  return record;
}

static __always_inline void submit_act(struct ks_vmm_act* record) {
  bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
}

/* MEMBER of the set ACT was seen, of which BITS has COUNT. */
static __always_inline void note_member(struct ks_vmm_vm_row* row, const struct ks_owner* owner,
                                        __u32 act, __u64* bits, __u32 count, __u32 member) {
  struct ks_vmm_act* record = reserve_act(row, owner, act);
  if (!record) {
    note_bit(bits, count, &row->changed, member);
    return;
  }
  record->member = member;
  submit_act(record);
}

/* The current process made a call of FAMILY on the kernel. virtiofsd becomes another user for what
 * its guest does as that user, and itself again. */
static __always_inline void note_call(__u32 family) {
  struct ks_owner owner = {};
  __u32 work = family == KS_CALL_CREDENTIALS ? KS_ROLE_FILE_HELPER : KS_ROLE_OWN;
  struct ks_vmm_vm_row* row = acting_row(&owner, work);
  if (row) note_member(row, &owner, KS_ACT_CALL, &row->calls, 64, family);
}

/* The current process did ACT to the VM whose VMM has the address space MM: reported with who it
 * is, unless it is of that VM. */
static __always_inline void report_stranger(__u64 mm, __u32 act) {
  struct ks_owner actor = {}, owner = {};
  if (mm == (__u64)bpf_get_current_task_btf()->mm) return;
  if (vm_of_process(mm, 0, 0, &owner) != KS_A_VMS) return;
  if (is_current_vms(&actor) && actor.serial == owner.serial) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  struct ks_vmm_act* record = row ? begin_act(row, &owner, act) : 0;
  if (record) submit_act(record);
}
