/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps of the source vhost. */
#pragma once

#include "bpf/entry.bpf.h"
#include "bpf/kvm/vms.bpf.h"
#include "bpf/vhost/kernel_types.h"
#include "bpf/vhost/records.h"
#include "bpf/vm_claim.bpf.h"

#define KS_SOURCE KS_SOURCE_VHOST
#define KS_LOSSES vhost_losses
#define KS_LOSSES_ROW struct ks_vhost_losses
#define KS_LIMITS vhost_limits
#define KS_LIMITS_ROW struct ks_vhost_limits
#define KS_METERS KS_VHOST_METERS

KS_ARRAY_MAP(vhost_losses, struct ks_vhost_losses, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vhost_limits, struct ks_vhost_limits, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vhost_vms, struct ks_vhost_vm_row, BPF_F_MMAPABLE);
KS_ARRAY_MAP(queues, struct ks_queue_row, BPF_F_MMAPABLE);

KS_SLOT_MAP(queue_slots);
KS_FREE_MAP(free_queue_slots);
KS_USED_MAP(queues_used);
KS_USED_MAP(vhost_vms_used);

/* Queues without a VM, so that these are not searched for at each occurrence: once a VM is born, it
 * is worth while again. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, __u64);
  __type(value, struct ks_stray_queue);
} stray_queues __weak SEC(".maps");

/* Context id of a guest to the slot of the queue it sends by. Ids are used again: the row says
 * whether it still has this one. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 65536);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, __u32);
  __type(value, __u32);
} vsock_senders __weak SEC(".maps");

static __always_inline struct ks_queue_row* queue_row(__u32 slot) {
  return bpf_map_lookup_elem(&queues, &slot);
}

/* What the VM SERIAL in SLOT has of all its queues. */
KS_VM_ROW(vhost)

/* How many rows of the VM in SLOT count METER. */
static __always_inline __u32 holders_of(__u32 meter, __u32 slot) {
  (void)meter;
  const struct ks_vhost_vm_row* row = bpf_map_lookup_elem(&vhost_vms, &slot);
  return row ? row->queues : 1;
}
