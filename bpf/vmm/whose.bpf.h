/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which VM does a process belong to? It is the VM's if it
 *   - was made by a process of the VM, since the VM has a vCPU, or started another program in its
 *     place (vmm_children),
 *   - has the address space that created the VM, or
 *   - is the process that created it, and has another address space by now: it started a program.
 * A child is noted before it runs its first instruction.
 *
 * Helpers, as virtiofsd, are processes of their own, which user space finds by their names and
 * sockets. Anyone can look like one: it is a VM's for what it does, and a stranger for what it does
 * to the VM. The same goes for its children.
 *
 * A process may have several VMs. What it does is then counted for one of them: a VMM must not get
 * out of sight by creating another.
 */
#pragma once

#include "bpf/kvm/vms.bpf.h"
#include "bpf/vmm/maps.bpf.h"

#define KS_XA_INTERNAL 2 /* include/linux/xarray.h: the low bits of a pointer to a node */
#define KS_XA_DEPTH 4    /* 64^4 vCPUs */
#define KS_SETUP_NS 60000000000ULL

/* What the table says of the VM: KS_VM_FREE of one that it does not have. */
static __always_inline __u32 state_of(const struct ks_owner* owner) {
  const struct ks_vm_row* vm = vm_row(owner->slot);
  return vm && vm->serial == owner->serial ? vm->state : KS_VM_FREE;
}

/* Whether the table has the VM as alive. Its struct kvm need not live any more: a program that a
 * VMM starts in its own place closes the VM's files first. */
static __always_inline bool is_alive(const struct ks_owner* owner) {
  return state_of(owner) == KS_VM_ALIVE;
}

/* The same, or as one that has ended while processes of it live. */
static __always_inline bool is_known(const struct ks_owner* owner) {
  __u32 state = state_of(owner);
  return state == KS_VM_ALIVE || state == KS_VM_DEAD;
}

struct first_search {
  __u64 mm;
  struct ks_owner first; /* the oldest that is alive */
};

static long consider_first(void* map, __u32* slot, struct ks_vm_row* vm,
                           struct first_search* search) {
  (void)map;
  if (vm->mm != search->mm || vm->state != KS_VM_ALIVE || !vm->serial) return 0;
  if (search->first.serial && search->first.serial < vm->serial) return 0;
  search->first.serial = vm->serial;
  search->first.slot = *slot;
  return 0;
}

/* Of an address space that has, or had, several. */
static __noinline int first_vm_of(__u64 mm, struct ks_owner* owner) {
  struct first_search search = {.mm = mm, .first.serial = zero_that_changes()};
  if (!owner) return 0;
  bpf_for_each_map_elem(&vms, consider_first, &search, 0);
  *owner = search.first;
  return search.first.serial != 0;
}

/* When the process of TASK began, in which a number that is used again differs; 0: not known. */
static __always_inline __u64 begin_of(struct task_struct* task) {
  return BPF_CORE_READ((struct task_struct___vmm*)task, group_leader, start_boottime);
}

enum ks_belonging {
  KS_NOBODYS = 0,
  KS_A_VMS,
  KS_A_HELPERS,
  KS_ORPHAN, /* made by a VM's, which has ended */
};

static __always_inline int belonging_by_role(const struct ks_owner* owner) {
  return owner->role >= KS_ROLE_HELPER ? KS_A_HELPERS : KS_A_VMS;
}

static __always_inline int belonging_to(const struct ks_owner* owner) {
  return is_known(owner) ? belonging_by_role(owner) : KS_NOBODYS;
}

/* Whether a process that began at BEGIN (0: not known) can have made the VM: what is said of an
 * address space is said of an address, which is another's once user space has missed the VM's end.
 * BEGIN counts the time that the host was asleep, which has grown since. */
static __always_inline bool may_have_made(__u64 begin, const struct ks_owner* owner) {
  const struct ks_vm_row* vm = vm_row(owner->slot);
  if (!begin || !vm || vm->serial != owner->serial) return true;
  return begin <= vm->first_ns + (bpf_ktime_get_boot_ns() - bpf_ktime_get_ns());
}

/* The VM of the process TGID, whose address space is MM, or 0 where that is not at hand, and which
 * began at BEGIN (0: not known). A child of a VM that has ended may have become another's VMM. */
static __noinline int vm_of_process(__u64 mm, __u32 tgid, __u64 begin, struct ks_owner* owner) {
  if (!owner) return KS_NOBODYS;
  const struct ks_child* child = bpf_map_lookup_elem(&vmm_children, &tgid);
  bool is_child = child && (!begin || child->begin == begin);
  if (is_child && is_alive(&child->vm)) {
    *owner = child->vm;
    return belonging_by_role(owner);
  }
  struct ks_owner_key of_mm = {.kind = KS_OWNER_MM, .id = {mm}};
  const struct ks_owner* found = mm ? bpf_map_lookup_elem(&owners, &of_mm) : 0;
  if (found && found->several) {
    if (first_vm_of(mm, owner) && may_have_made(begin, owner)) return KS_A_VMS;
    found = 0;
  }
  if (found && !may_have_made(begin, found)) found = 0;
  if (!found) found = owner_of_process(tgid, begin);
  if (found) {
    *owner = *found;
    int belongs = belonging_to(owner);
    if (belongs || !is_child) return belongs;
  }
  if (!is_child) return KS_NOBODYS;
  *owner = child->vm;
  int belongs = belonging_to(owner);
  return belongs ? belongs : KS_ORPHAN;
}

/* Whether TASK is a VM's, or a helper's. */
static __always_inline bool acts_for_vm(struct task_struct* task, struct ks_owner* owner) {
  int belongs = vm_of_process((__u64)BPF_CORE_READ(task, mm), BPF_CORE_READ(task, tgid),
                              begin_of(task), owner);
  return belongs == KS_A_VMS || belongs == KS_A_HELPERS;
}

static __always_inline int vm_of_current(struct ks_owner* owner) {
  struct task_struct* task = bpf_get_current_task_btf();
  return vm_of_process((__u64)task->mm, task->tgid, begin_of(task), owner);
}

static __always_inline bool is_current_vms(struct ks_owner* owner) {
  return vm_of_current(owner) == KS_A_VMS;
}

/* Whether the guest has begun: KVM_RUN notes the thread that runs a vCPU. Until then a VMM is only
 * setting up, and may do what it likes, but not for long: one that waits for a migration reads what
 * its peer sends. True where the VM has ended: it has had its time. */
static __noinline int has_begun(__u32 slot) {
  const struct ks_vm_row* vm = vm_row(slot);
  if (!vm) return 0;
  if (vm->state == KS_VM_DEAD) return 1;
  struct kvm* kvm = (struct kvm*)vm->kvm;
  if (BPF_CORE_READ(kvm, users_count.refs.counter) <= 0) return 1;
  if (bpf_ktime_get_ns() - vm->first_ns > KS_SETUP_NS) return 1;
  __u64 entry = (__u64)BPF_CORE_READ((struct kvm___vcpus*)kvm, vcpu_array.xa_head);
  for (int depth = 0; depth < KS_XA_DEPTH; depth++) {
    if ((entry & 3) != KS_XA_INTERNAL) break;
    entry = (__u64)BPF_CORE_READ((struct xa_node*)(entry - KS_XA_INTERNAL), slots[0]);
  }
  return entry && BPF_CORE_READ((struct kvm_vcpu___run*)entry, pid) != 0;
}
