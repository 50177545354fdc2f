/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Entries of the slot maps: from an object's address to the slot of its row.
 *
 * Any number of CPUs may find at once that an entry is stale, and each registers the object again.
 * A hash map cannot delete by compare, so a CPU that deleted a stale entry could delete the one
 * that another CPU has just made: two rows would then claim one object. So programs never delete:
 * they replace the entry's value in place by compare-and-swap. One wins, the others use the
 * winner's.
 *
 * A value is a generation and a slot. User space deletes an entry when it frees the row (Forget in
 * sensor/probe/slot_pool.cc), and the map hands the element to another address at once; because of
 * the generation a swap on such an element fails. User space puts an entry back that it deleted by
 * mistake; where another row was registered meanwhile, it retires the older row.
 */
#pragma once

#include "bpf/common.bpf.h"

#define KS_PUBLISH_TRIES 4

/* Not 0, so that 0 can stand for "no entry". */
static __always_inline __u64 make_entry(__u32 slot) {
  return (bpf_ktime_get_ns() | 1) << 32 | slot;
}

static __always_inline __u32 slot_of_entry(__u64 entry) {
  return (__u32)entry;
}

/* The value of the entry of ADDRESS, 0 where there is none. */
static __always_inline __u64 find_entry(void* map, __u64 address) {
  const volatile __u64* entry = bpf_map_lookup_elem(map, &address);
  return entry ? *entry : 0;
}

/* Makes ADDRESS lead to OURS where it leads to STALE (0: to nothing). Returns what it leads to
 * then: OURS, or what another CPU made of it; 0 where the map has no room. */
static __always_inline __u64 publish(void* map, __u64 address, __u64 stale, __u64 ours) {
  for (int tries = 0; tries < KS_PUBLISH_TRIES; tries++) {
    __u64* entry = bpf_map_lookup_elem(map, &address);
    if (!entry) {
      if (!bpf_map_update_elem(map, &address, &ours, BPF_NOEXIST)) return ours;
      continue;
    }
    __u64 found = __sync_val_compare_and_swap(entry, stale, ours);
    if (found != stale) return found; /* also OURS, at the second look */
    /* Look again: user space may have deleted this very entry before the swap. */
  }
  return 0;
}
