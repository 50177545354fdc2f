/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which bit is an MSR? Compiled by the programs, and natively by its test. */
#pragma once

#include "bpf/kvm/records.h"

/* The bit of MSR in ks_kvm_sets.msrs_written, KS_MSR_BITS for one outside the blocks. */
static inline __attribute__((always_inline)) uint32_t msr_bit(uint32_t msr) {
  if (msr - KS_MSR_LOW < KS_MSR_BLOCK) return msr - KS_MSR_LOW;
  if (msr - KS_MSR_HIGH < KS_MSR_BLOCK) return msr - KS_MSR_HIGH + KS_MSR_BLOCK;
  if (msr - KS_MSR_AMD < KS_MSR_BLOCK) return msr - KS_MSR_AMD + 2 * KS_MSR_BLOCK;
  if (msr - KS_MSR_HYPERV < KS_MSR_BLOCK / 2) return msr - KS_MSR_HYPERV + 3 * KS_MSR_BLOCK;
  if (msr - KS_MSR_KVM < KS_MSR_BLOCK / 2)
    return msr - KS_MSR_KVM + 3 * KS_MSR_BLOCK + KS_MSR_BLOCK / 2;
  return KS_MSR_BITS;
}
