/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps of the source kvm. */
#pragma once

#include "bpf/entry.bpf.h"
#include "bpf/kvm/vms.bpf.h"

#define KS_SOURCE KS_SOURCE_KVM
#define KS_LOSSES kvm_losses
#define KS_LOSSES_ROW struct ks_kvm_losses
#define KS_LIMITS kvm_limits
#define KS_LIMITS_ROW struct ks_kvm_limits
#define KS_METERS KS_KVM_METERS

KS_ARRAY_MAP(kvm_losses, struct ks_kvm_losses, BPF_F_MMAPABLE);
KS_ARRAY_MAP(kvm_limits, struct ks_kvm_limits, BPF_F_MMAPABLE);
KS_ARRAY_MAP(kvm_sets, struct ks_kvm_sets, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vcpus, struct ks_vcpu_row, BPF_F_MMAPABLE);
KS_ARRAY_MAP(exits, struct ks_exit_row, BPF_F_MMAPABLE); /* by vCPU */

KS_SLOT_MAP(vm_slots);
KS_SLOT_MAP(vcpu_slots);
KS_FREE_MAP(free_vm_slots);
KS_FREE_MAP(free_vcpu_slots);
KS_USED_MAP(vms_used);
KS_USED_MAP(vcpus_used);

static __always_inline struct ks_vcpu_row* vcpu_row(__u32 slot) {
  return bpf_map_lookup_elem(&vcpus, &slot);
}

/* How many rows of the VM in SLOT count METER. */
static __always_inline __u32 holders_of(__u32 meter, __u32 slot) {
  const struct ks_vm_row* vm = vm_row(slot);
  return vm && meter < KS_METERS_OF_VCPU ? vm->vcpus : 1;
}
