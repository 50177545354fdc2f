/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which VM does a process belong to? It is the VM's if it
 *   - was made by a process of the VM's (vmm_children), whatever it runs by now, or
 *   - has the address space that created the VM, or
 *   - is the process that created it, and has another address space by now: it started a program.
 * A child is noted before it runs its first instruction.
 */
#pragma once

#include "bpf/kvm/owner.bpf.h"
#include "bpf/vmm/maps.bpf.h"

#define KS_XA_INTERNAL 2 /* include/linux/xarray.h: the low bits of a pointer to a node */
#define KS_XA_DEPTH 4    /* 64^4 vCPUs */

/* A VM that the table says is gone has no processes. Whether its struct kvm still lives does not
 * matter here: a program that a VMM starts in its own place closes the VM's files first. */
static __always_inline bool is_known(const struct ks_owner* owner) {
  const struct ks_vm_row* vm = vm_row(owner->slot);
  return !owner->several && vm && vm->serial == owner->serial && vm->state == KS_VM_ALIVE;
}

/* The VM of the process TGID, whose address space is MM. */
static __noinline int vm_of_process(__u64 mm, __u32 tgid, struct ks_owner* owner) {
  if (!owner) return KS_NO_VM;
  const struct ks_owner* found = bpf_map_lookup_elem(&vmm_children, &tgid);
  if (!found) {
    struct ks_owner_key key = {.kind = KS_OWNER_MM, .id = {mm}};
    found = bpf_map_lookup_elem(&owners, &key);
    if (found && found->several) return find_owner(mm, 0, owner);
  }
  if (!found) {
    struct ks_owner_key key = {.kind = KS_OWNER_PROCESS, .id = {tgid}};
    found = bpf_map_lookup_elem(&owners, &key);
  }
  if (!found) return KS_NO_VM;
  *owner = *found;
  if (owner->several) return KS_ONE_OF_SEVERAL;
  return is_known(owner) ? KS_OWNED : KS_NO_VM;
}

static __always_inline bool is_vms(__u64 mm, __u32 tgid, struct ks_owner* owner) {
  int found = vm_of_process(mm, tgid, owner);
  if (found == KS_ONE_OF_SEVERAL) KS_LOSE(vmm_unattributed);
  return found == KS_OWNED;
}

static __always_inline bool is_current_vms(struct ks_owner* owner) {
  struct task_struct* task = bpf_get_current_task_btf();
  return is_vms((__u64)task->mm, task->tgid, owner);
}

/* Whether the guest has begun: KVM_RUN notes the thread that runs a vCPU. Until then a VMM is only
 * setting up, and may do what it likes. True where the VM is gone by now: it has had its time. */
static __noinline int has_begun(__u32 slot) {
  const struct ks_vm_row* vm = vm_row(slot);
  if (!vm) return 0;
  struct kvm* kvm = (struct kvm*)vm->kvm;
  if (BPF_CORE_READ(kvm, users_count.refs.counter) <= 0) return 1;
  __u64 entry = (__u64)BPF_CORE_READ((struct kvm___vcpus*)kvm, vcpu_array.xa_head);
  for (int depth = 0; depth < KS_XA_DEPTH; depth++) {
    if ((entry & 3) != KS_XA_INTERNAL) break;
    entry = (__u64)BPF_CORE_READ((struct xa_node*)(entry - KS_XA_INTERNAL), slots[0]);
  }
  return entry && BPF_CORE_READ((struct kvm_vcpu___run*)entry, pid) != 0;
}

/* Whether the current process is a VM's, and its guest has begun. */
static __always_inline bool acts_for_guest(struct ks_owner* owner) {
  return is_current_vms(owner) && has_begun(owner->slot);
}
