/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Registration: a struct kvm, or a struct kvm_vcpu, gets a slot. Called where one is created
 * (life), where the walk over open files meets one (inventory), and by any hook that meets a vCPU
 * it does not know, so that not one occurrence is lost to a slow user space.
 *
 * Several CPUs may register the same object at once. A row is filled first and then published
 * (entry.bpf.h): one wins, the others give their slot back and use the winner's.
 */
#pragma once

#include "bpf/kvm/register_vm.bpf.h"

/* A new row for VCPU of the VM in VM_SLOT; STALE and what is returned are those of add_vm(). */
static __noinline __u32 add_vcpu(__u64 vcpu, __u32 vm_slot, __u32 origin, __u64 stale) {
  struct ks_vm_row* vm = vm_row(vm_slot);
  if (!vm) return KS_NO_SLOT; /* the VM has no slot: counted when that was found */
  __u32 slot = take_slot(&free_vcpu_slots, &vcpus_used);
  if (slot == KS_NO_SLOT) {
    KS_LOSE(no_vcpu_slot);
    vm->incomplete = 1;
    return KS_NO_SLOT;
  }
  struct ks_vcpu_row* row = vcpu_row(slot);
  if (!row) {
    KS_LOSE(row_lookup);
    return KS_NO_SLOT;
  }
  row->published = 0;
  /* Whoever reads the serial knows whether to count the row: x86 keeps the order of stores. */
  asm volatile("" ::: "memory");
  row->slot = slot;
  row->vm_slot = vm_slot;
  row->vm_serial = vm->serial;
  row->first_ns = bpf_ktime_get_ns();
  row->origin = origin;
  row->vcpu_index = BPF_CORE_READ((struct kvm_vcpu*)vcpu, vcpu_idx);
  row->address = vcpu;
  row->vcpu = vcpu;
  __u64 ours = make_entry(slot);
  __u64 entry = publish(&vcpu_slots, vcpu, stale, ours);
  if (entry != ours) {
    row->vcpu = 0;
    row->vm_serial = 0;
    if (!give_slot_back(&free_vcpu_slots, &vcpus_used, slot)) KS_LOSE(table_update);
    if (entry) return slot_of_entry(entry);
    KS_LOSE(table_update);
    return KS_NO_SLOT;
  }
  row->published = 1;
  __sync_fetch_and_add(&vm->vcpus, 1);
  return slot;
}

/* Whether ROW, found by its vCPU's address, is of a VM other than KVM: the address was reused and
 * nobody saw it, because births were not watched, as while the daemon was down. */
static __always_inline bool is_of_another_vm(const struct ks_vcpu_row* row, __u64 kvm) {
  const struct ks_vm_row* vm = vm_row(row->vm_slot);
  return vm && vm->serial == row->vm_serial && vm->kvm != kvm;
}

/* ROW is no longer VCPU's: its counts stay for user space to fold. Harmless if done twice, and if
 * the row has just been reused for the same address: the next hook then registers the vCPU again.
 */
static __always_inline void retire_vcpu(struct ks_vcpu_row* row, __u64 vcpu) {
  __sync_val_compare_and_swap(&row->vcpu, vcpu, 0);
}

static __noinline __u32 find_or_add_vcpu(__u64 vcpu, __u32 origin) {
  __u64 kvm = (__u64)BPF_CORE_READ((struct kvm_vcpu*)vcpu, kvm);
  if (!kvm) {
    KS_LOSE(unattributed);
    return KS_NO_SLOT;
  }
  __u64 entry = find_entry(&vcpu_slots, vcpu);
  struct ks_vcpu_row* row = entry ? vcpu_row(slot_of_entry(entry)) : 0;
  if (row && row->vcpu == vcpu) {
    if (!is_of_another_vm(row, kvm)) return slot_of_entry(entry);
    retire_vcpu(row, vcpu);
  }
  return add_vcpu(vcpu, find_or_add_vm(kvm), origin, entry);
}
