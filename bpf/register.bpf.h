/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Registration: a struct kvm, or a struct kvm_vcpu, gets a slot. Called where one is created
 * (life), where the walk over open files meets one (inventory), and by any hook that meets a vCPU
 * it does not know, so that not one occurrence is lost to a slow user space.
 *
 * Several CPUs may register the same object at once. A row is filled first and then published with
 * BPF_NOEXIST: one wins, the others give their slot back and use the winner's.
 */
#pragma once

#include "bpf/register_vm.bpf.h"

/* A new row for VCPU of the VM in VM_SLOT; returns as above. */
static __noinline __u32 add_vcpu(__u64 vcpu, __u32 vm_slot, __u32 origin) {
  struct ks_vm_row* vm = vm_row(vm_slot);
  if (!vm) return KS_NO_SLOT; /* the VM has no slot: counted when that was found */
  __u32 slot;
  if (bpf_map_pop_elem(&free_vcpu_slots, &slot)) {
    KS_LOSE(no_vcpu_slot);
    vm->incomplete = 1;
    return KS_NO_SLOT;
  }
  struct ks_vcpu_row* row = vcpu_row(slot);
  if (!row) {
    KS_LOSE(row_lookup);
    return KS_NO_SLOT;
  }
  row->slot = slot;
  row->vm_slot = vm_slot;
  row->vm_serial = vm->serial;
  row->first_ns = bpf_ktime_get_ns();
  row->origin = origin;
  row->vcpu_index = BPF_CORE_READ((struct kvm_vcpu*)vcpu, vcpu_idx);
  row->vcpu = vcpu;
  if (bpf_map_update_elem(&vcpu_slots, &vcpu, &slot, BPF_NOEXIST)) {
    row->vcpu = 0;
    row->vm_serial = 0;
    if (bpf_map_push_elem(&free_vcpu_slots, &slot, 0)) KS_LOSE(table_update);
    __u32* winner = bpf_map_lookup_elem(&vcpu_slots, &vcpu);
    if (winner) return *winner;
    KS_LOSE(table_update);
    return KS_NO_SLOT;
  }
  __sync_fetch_and_add(&vm->vcpus, 1);
  return slot;
}

/* Whether ROW, found by its vCPU's address, is of a VM other than KVM: the address was reused and
 * nobody saw it, because births were not watched, as while the daemon was down. */
static __always_inline bool is_of_another_vm(const struct ks_vcpu_row* row, __u64 kvm) {
  const struct ks_vm_row* vm = vm_row(row->vm_slot);
  return vm && vm->serial == row->vm_serial && vm->kvm != kvm;
}

static __noinline __u32 find_or_add_vcpu(__u64 vcpu, __u32 origin) {
  __u64 kvm = (__u64)BPF_CORE_READ((struct kvm_vcpu*)vcpu, kvm);
  if (!kvm) {
    KS_LOSE(unattributed);
    return KS_NO_SLOT;
  }
  __u32* known = bpf_map_lookup_elem(&vcpu_slots, &vcpu);
  if (known) {
    struct ks_vcpu_row* row = vcpu_row(*known);
    if (!row || row->vcpu != vcpu || !is_of_another_vm(row, kvm)) return *known;
    row->vcpu = 0; /* its counts stay for user space to fold */
    bpf_map_delete_elem(&vcpu_slots, &vcpu);
  }
  return add_vcpu(vcpu, find_or_add_vm(kvm), origin);
}
