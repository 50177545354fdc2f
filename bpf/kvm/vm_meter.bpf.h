/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Meters of a VM as a whole: they lie in the VM's row, and any number of CPUs count at once. A VM
 * without vCPUs has no row yet, and cannot run.
 */
#pragma once

#include "bpf/kvm/meter.bpf.h"
#include "bpf/kvm/register_vm.bpf.h"
#include "bpf/vm_claim.bpf.h"

/* The row of the VM at KVM; NULL where it has none. One without vCPUs, or of another address space,
 * is not the VM of the row, but a new one at the address of one that is gone. */
static __always_inline struct ks_vm_row* known_vm(__u64 kvm, __u32* at) {
  if (!BPF_CORE_READ((struct kvm*)kvm, online_vcpus.counter)) return 0;
  __u64 entry = find_entry(&vm_slots, kvm);
  struct ks_vm_row* vm = entry ? vm_row(slot_of_entry(entry)) : 0;
  if (is_stale_vm(vm, kvm) || vm->mm != (__u64)BPF_CORE_READ((struct kvm*)kvm, mm)) return 0;
  *at = slot_of_entry(entry);
  return vm;
}

/* One more occurrence for the VM in SLOT. */
static __always_inline void count_for(struct ks_vm_row* vm, __u32 slot, enum ks_kvm_meter meter) {
  shared_add(&vm->meters[meter - KS_METERS_OF_VCPU], meter, 1, slot, 0);
}

/* COMMAND was seen on a file of this KIND of the VM in SLOT. */
static __always_inline void note_ioctl(__u32 slot, enum ks_ioctl_kind kind, __u32 command) {
  struct ks_kvm_sets* sets = bpf_map_lookup_elem(&kvm_sets, &slot);
  if (!sets) {
    KS_LOSE(row_lookup);
    return;
  }
  note_bit(sets->ioctls, KS_IOCTL_KINDS * 256, &sets->changed,
           KS_IOCTL_MEMBER(kind, command & 0xff));
}
