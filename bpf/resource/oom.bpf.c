/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A process is about to be killed for want of memory: a VMM, or a helper of one? */
#include "bpf/resource/read.bpf.h"

KS_LICENSE;

struct victim {
  __u64 tgid;
  __u32 first;
  __u64 bits;
};

static long look_at_vm(__u32 index, struct victim* victim) {
  if (!(victim->bits & 1ULL << (index & 63))) return 0;
  __u32 slot = victim->first + index;
  struct ks_resource_vm* row = bpf_map_lookup_elem(&resource_vms, &slot);
  if (row && row->tgid == victim->tgid) __sync_fetch_and_add(&row->oom_victims, 1);
  return 0;
}

static long look_at_vms(__u32 index, struct victim* victim) {
  const __u64* bits = bpf_map_lookup_elem(&vms_used, &index);
  if (!bits) return 1;
  victim->bits = *bits;
  victim->first = index * 64;
  if (victim->bits) bpf_loop(64, look_at_vm, victim, 0);
  return 0;
}

/* Which processes help a VM user space says. They need not be in the VM's cgroup. */
static __always_inline void look_at_helper(__u32 tgid, __u64 begin) {
  const struct ks_owner* owner = owner_of_process(tgid, begin);
  if (!owner) return;
  __u32 slot = owner->slot;
  struct ks_resource_vm* row = bpf_map_lookup_elem(&resource_vms, &slot);
  if (!row || row->vm_serial != owner->serial || row->tgid == tgid) return;
  __sync_fetch_and_add(&row->oom_victims, 1);
}

/* Since Linux 6.9 it names the task, before that the number of its first thread. */
static __always_inline void on_mark_victim(__u64* ctx) {
  __u64 first = 0; /* copied, so that the verifier sees a number and no pointer */
  bpf_probe_read_kernel(&first, sizeof(first), ctx);
  const task_t* task = (void*)first;
  bool named = (__s64)first < 0;
  struct victim victim = {.tgid = named ? (__u32)READ(task, tgid) : first};
  bpf_loop(4096, look_at_vms, &victim, 0);
  look_at_helper(victim.tgid, named ? READ(task, group_leader, start_boottime) : 0);
}
KS_TRACEPOINT(mark_victim, on_mark_victim)
