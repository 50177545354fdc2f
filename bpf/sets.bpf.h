/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sets: the first sight of a member since user space last took the bits is one bit set. Every other
 * is a compare, if it is the member that the vCPU named last, else a test.
 *
 * User space counts up a vCPU's takes before it takes the bits. So a mark of an older take proves
 * nothing, and one of this take means that the bit was set after the last take began.
 */
#pragma once

#include "bpf/maps.bpf.h"
#include "bpf/msr_bit.h"

static __always_inline __u64 mark_of(const struct ks_vcpu_row* vcpu, __u32 member) {
  return ((__u64) * (const volatile __u32*)&vcpu->takes + 1) << 32 | member;
}

static __always_inline struct ks_vm_sets* sets_of(const struct ks_vcpu_row* vcpu) {
  __u32 slot = vcpu->vm_slot;
  return bpf_map_lookup_elem(&vm_sets, &slot);
}

static __always_inline void set_bit(struct ks_vm_sets* sets, __u64* word, __u32 bit) {
  __u64 mask = 1ULL << (bit & 63);
  if (*word & mask) return;
  __sync_fetch_and_or(word, mask);
  sets->changed = 1;
}
