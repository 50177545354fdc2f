/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps of the source vfio. */
#pragma once

#include "bpf/kvm/vms.bpf.h"
#include "bpf/vfio/records.h"
#include "bpf/vm_claim.bpf.h"

#define KS_SOURCE KS_SOURCE_VFIO
#define KS_LOSSES vfio_losses
#define KS_LOSSES_ROW struct ks_vfio_losses
#define KS_LIMITS vfio_limits
#define KS_LIMITS_ROW struct ks_vfio_limits
#define KS_METERS KS_VFIO_METERS

KS_ARRAY_MAP(vfio_losses, struct ks_vfio_losses, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vfio_limits, struct ks_vfio_limits, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vfio_vms, struct ks_vfio_vm_row, BPF_F_MMAPABLE);
KS_USED_MAP(vfio_vms_used);

KS_VM_ROW(vfio)

static __always_inline __u32 holders_of(__u32 meter, __u32 slot) {
  (void)meter;
  (void)slot;
  return 1;
}
