/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps of the source vmm. */
#pragma once

#include "bpf/kvm/vms.bpf.h"
#include "bpf/vm_claim.bpf.h"
#include "bpf/vmm/kernel_types.h"
#include "bpf/vmm/records.h"

#define KS_SOURCE KS_SOURCE_VMM
#define KS_LOSSES vmm_losses
#define KS_LOSSES_ROW struct ks_vmm_losses
#define KS_LIMITS vmm_limits
#define KS_LIMITS_ROW struct ks_vmm_limits
#define KS_METERS KS_VMM_METERS

KS_ARRAY_MAP(vmm_losses, struct ks_vmm_losses, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vmm_limits, struct ks_vmm_limits, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vmm_vms, struct ks_vmm_vm_row, BPF_F_MMAPABLE);
KS_USED_MAP(vmm_vms_used);

/* The children of VMs' processes, and theirs, by tgid. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 16384);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, __u32);
  __type(value, struct ks_child);
} vmm_children __weak SEC(".maps");

KS_VM_ROW(vmm)

static __always_inline __u32 holders_of(__u32 meter, __u32 slot) {
  (void)meter;
  (void)slot;
  return 1;
}
