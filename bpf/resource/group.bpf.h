/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the cgroups of a VMM count, and where their limits are. */
#pragma once

#include "bpf/resource/read.bpf.h"

#define KS_MAX_GROUPS 16 /* from a VMM's to the root */

struct climb {
  __u64 css; /* where it has come to; 0 above the root */
  struct ks_resource_vm* row;
};

/* Of the limits on its way to the root, the tightest holds; it may be throttled at each. */
static long climb_cpu(__u32 index, struct climb* climb) {
  (void)index;
  struct ks_resource_vm* row = climb->row;
  struct task_group* group = (void*)climb->css;
  __u64 parent = parent_of(climb->css);
  if (!parent) return 1; /* the root has no limits */
  __u64 quota = READ(group, cfs_bandwidth.quota);
  __u64 period = READ(group, cfs_bandwidth.period);
  if (quota != KS_NO_LIMIT) {
    row->throttled += READ(group, cfs_bandwidth.throttled_time);
    row->periods_throttled += (__u32)READ(group, cfs_bandwidth.nr_throttled);
    /* quota/period less than that of the tightest so far, without a division */
    if (!row->period || (quota >> 10) * (row->period >> 10) < (row->quota >> 10) * (period >> 10)) {
      row->quota = quota;
      row->period = period;
      row->periods = (__u32)READ(group, cfs_bandwidth.nr_periods);
    }
  }
  climb->css = parent;
  return 0;
}

static __always_inline void read_cpu_group(const task_t* task, struct ks_resource_vm* row) {
  __u64 css = css_of(task, bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id));
  row->cpu_group = css;
  row->quota = KS_NO_LIMIT;
  row->period = row->periods = row->periods_throttled = row->throttled = 0;
  if (!css || !parent_of(css)) return;
  row->known |= KS_KNOWN_CPU_GROUP;
  struct climb climb = {.css = css, .row = row};
  bpf_loop(KS_MAX_GROUPS, climb_cpu, &climb, 0);
}

static __always_inline __u64 memory_event(const struct mem_cgroup* group, __u32 event) {
  __s64 count = 0;
  if (event >= MEMCG_NR_MEMORY_EVENTS) return 0;
  bpf_core_read(&count, sizeof(count), &group->memory_events[event].counter);
  return count;
}

#define KS_PAGE_BYTES 4096ULL

static __always_inline void take_memory_group(__u64 css, struct ks_resource_vm* row) {
  struct mem_cgroup* group = (void*)css;
  __u64 most = READ(group, memory.max);
  row->memory_used = READ(group, memory.usage.counter) * KS_PAGE_BYTES;
  /* PAGE_COUNTER_MAX of include/linux/page_counter.h */
  row->memory_limit =
      most >= 0x7fffffffffffffffULL / KS_PAGE_BYTES ? KS_NO_LIMIT : most * KS_PAGE_BYTES;
  row->swap_used = READ(group, swap.usage.counter) * KS_PAGE_BYTES;
  row->high_events = memory_event(group, bpf_core_enum_value(enum memcg_memory_event, MEMCG_HIGH));
  row->max_events = memory_event(group, bpf_core_enum_value(enum memcg_memory_event, MEMCG_MAX));
  row->oom_events = memory_event(group, bpf_core_enum_value(enum memcg_memory_event, MEMCG_OOM));
  row->oom_kills =
      memory_event(group, bpf_core_enum_value(enum memcg_memory_event, MEMCG_OOM_KILL));
}

/* The first is the VMM's own; one above it with a tighter limit takes its place. */
static long climb_memory(__u32 index, struct climb* climb) {
  struct ks_resource_vm* row = climb->row;
  __u64 parent = parent_of(climb->css);
  if (!parent) return 1;
  const struct mem_cgroup* group = (void*)climb->css;
  __u64 most = READ(group, memory.max);
  if (!index || (most < KS_NO_LIMIT / KS_PAGE_BYTES && most * KS_PAGE_BYTES < row->memory_limit)) {
    take_memory_group(climb->css, row);
  }
  climb->css = parent;
  return 0;
}

static __always_inline void read_memory_group(const task_t* task, struct ks_resource_vm* row) {
  __u64 css = css_of(task, bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
  row->memory_group = css;
  row->memory_limit = KS_NO_LIMIT;
  row->memory_used = row->swap_used = 0;
  row->high_events = row->max_events = row->oom_events = row->oom_kills = 0;
  if (!css || !parent_of(css)) return;
  row->known |= KS_KNOWN_MEMORY_GROUP;
  struct climb climb = {.css = css, .row = row};
  bpf_loop(KS_MAX_GROUPS, climb_memory, &climb, 0);
}

/* Whose requests are that a cgroup makes: the VM's, if its process is alone there. Of the VMs of a
 * process the oldest one's: a VMM must not get out of sight by creating another. */
static __always_inline void say_io_group(const task_t* task, const struct ks_vm_row* vm,
                                         __u64 pass) {
  __u64 css = css_of(task, bpf_core_enum_value(enum cgroup_subsys_id, io_cgrp_id));
  if (!css || !parent_of(css)) return;
  struct ks_resource_group* known = bpf_map_lookup_elem(&resource_groups, &css);
  if (known && known->pass == pass) {
    const struct ks_vm_row* other = vm_row(known->slot);
    if (!other || other->mm != vm->mm) known->several = 1;
    if (known->several || known->serial <= vm->serial) return;
  }
  struct ks_resource_group group = {.serial = vm->serial, .slot = vm->slot, .pass = pass};
  if (bpf_map_update_elem(&resource_groups, &css, &group, BPF_ANY)) KS_LOSE(table_update);
}
