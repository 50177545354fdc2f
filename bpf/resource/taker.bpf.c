/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who ran while a vCPU waited? Attached only while one waits much, for it runs at every switch of
 * tasks: each processor keeps its latest slices, who ran from when to when, and when a vCPU's turn
 * comes, its wait is shared among those that ran in between. Since when it waited the kernel knows
 * (kernel/sched/stats.h, sched_info_enqueue): since it woke up or was pushed off, and since it came
 * to this processor, for who ran elsewhere is not to blame for the wait here.
 */
#include "bpf/resource/read.bpf.h"

KS_LICENSE;

#define KS_SLICES 32 /* a power of two */

struct slice {
  __u64 from;
  __u64 to;
  __u64 mm;
  __u32 tgid;
  __u32 padding;
  char comm[16];
};

struct processor {
  __u64 switched_ns; /* when the task that runs began */
  __u64 slices;      /* that were ever kept */
  struct slice slice[KS_SLICES];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct processor);
} processors SEC(".maps");

struct wait {
  struct processor* here;
  __u64 serial;
  __u64 from;
  __u64 to;
};

static __always_inline __u64 vm_of(__u64 mm) {
  struct ks_owner_key key = {.kind = KS_OWNER_MM, .id = {mm}};
  const struct ks_owner* owner = mm ? bpf_map_lookup_elem(&owners, &key) : 0;
  return owner && !owner->several ? owner->serial : 0;
}

static long share_wait(__u32 index, struct wait* wait) {
  struct processor* here = wait->here;
  if (index >= here->slices) return 1;
  const struct slice* slice = &here->slice[(here->slices - 1 - index) & (KS_SLICES - 1)];
  if (slice->to <= wait->from) return 1; /* this one, and all before */
  __u64 from = slice->from > wait->from ? slice->from : wait->from;
  __u64 to = slice->to < wait->to ? slice->to : wait->to;
  if (to <= from) return 0;
  struct ks_taker_key key = {
      .victim = wait->serial, .taker = vm_of(slice->mm), .tgid = slice->tgid};
  struct ks_taker* known = bpf_map_lookup_elem(&resource_takers, &key);
  if (known) {
    __sync_fetch_and_add(&known->ns, to - from);
    return 0;
  }
  struct ks_taker taker = {.ns = to - from};
  __builtin_memcpy(taker.comm, slice->comm, sizeof(taker.comm));
  if (bpf_map_update_elem(&resource_takers, &key, &taker, BPF_NOEXIST)) KS_LOSE(table_update);
  return 0;
}

static __always_inline void keep_slice(struct processor* here, const task_t* task, __u64 now) {
  struct slice* slice = &here->slice[here->slices & (KS_SLICES - 1)];
  const struct task_struct* plain = (const void*)task;
  slice->from = here->switched_ns;
  slice->to = now;
  slice->mm = (__u64)READ(plain, mm);
  slice->tgid = slice->mm ? READ(task, tgid) : 0;
  bpf_core_read(slice->comm, sizeof(slice->comm), &task->comm);
  here->slices++;
}

/* How long NEXT, whose turn it is, has waited here. Both are times of its run queue's clock. */
static __always_inline __u64 waited_by(const task_t* next) {
  __u64 clock = READ(next, se.cfs_rq, rq, clock);
  __u64 queued = READ(next, sched_info.last_queued);
  return queued && queued < clock ? clock - queued : 0;
}

KS_FIRED(sched_switch_while_waiting);
/* (bool preempt, struct task_struct* previous, struct task_struct* next, ...) */
SEC("tp_btf/sched_switch") int sched_switch_while_waiting(__u64* ctx) {
  KS_NOTE_FIRED(sched_switch_while_waiting);
  __u32 zero = 0;
  struct processor* here = bpf_map_lookup_elem(&processors, &zero);
  if (!here) return 0;
  const task_t* previous = (void*)ctx[1];
  const task_t* next = (void*)ctx[2];
  __u64 now = bpf_ktime_get_ns();
  if (READ(previous, pid) && here->switched_ns) keep_slice(here, previous, now);
  here->switched_ns = now;
  __u32 tid = READ(next, pid);
  const struct ks_victim* victim = tid ? bpf_map_lookup_elem(&resource_victims, &tid) : 0;
  if (!victim) return 0;
  struct wait wait = {
      .here = here, .serial = victim->serial, .from = now - waited_by(next), .to = now};
  if (wait.from < now) bpf_loop(KS_SLICES, share_wait, &wait, 0);
  return 0;
}
