/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Sets: the first sight of a member since user space last took the bits is one bit set; every
 * other is one test. */
#pragma once

#include "bpf/maps.bpf.h"

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

/* The bit of MSR in ks_vm_sets.msrs_written, KS_MSR_BITS for one outside the blocks. */
static __always_inline __u32 msr_bit(__u32 msr) {
  if (msr - KS_MSR_LOW < KS_MSR_BLOCK) return msr - KS_MSR_LOW;
  if (msr - KS_MSR_HIGH < KS_MSR_BLOCK) return msr - KS_MSR_HIGH + KS_MSR_BLOCK;
  if (msr - KS_MSR_AMD < KS_MSR_BLOCK) return msr - KS_MSR_AMD + 2 * KS_MSR_BLOCK;
  if (msr - KS_MSR_HYPERV < KS_MSR_BLOCK / 2) return msr - KS_MSR_HYPERV + 3 * KS_MSR_BLOCK;
  if (msr - KS_MSR_KVM < KS_MSR_BLOCK / 2)
    return msr - KS_MSR_KVM + 3 * KS_MSR_BLOCK + KS_MSR_BLOCK / 2;
  return KS_MSR_BITS;
}
