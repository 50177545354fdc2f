/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The table of VMs, which every source asks whose something is. Only the source kvm writes to it.
 */
#pragma once

#include "bpf/kvm/records.h"
#include "bpf/maps.bpf.h"

KS_ARRAY_MAP(vms, struct ks_vm_row, BPF_F_MMAPABLE);

/* Whose is it? */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, struct ks_owner_key);
  __type(value, struct ks_owner);
} owners __weak SEC(".maps");

static __always_inline struct ks_vm_row* vm_row(__u32 slot) {
  return bpf_map_lookup_elem(&vms, &slot);
}

/* What user space says of the process TGID, which began at BEGIN (0: not known). */
static __always_inline const struct ks_owner* owner_of_process(__u32 tgid, __u64 begin) {
  struct ks_owner_key key = {.kind = KS_OWNER_PROCESS, .id = {tgid}};
  const struct ks_owner* found = bpf_map_lookup_elem(&owners, &key);
  if (!found || !begin || !found->incarnation) return found;
  return (__u16)(begin / KS_TICK_NS) == found->incarnation ? found : 0;
}
