/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sets: the first sight of a member since user space last took the bits is one bit set, or one
 * place of a small table taken. Every other is a compare, if it is the member that the vCPU named
 * last, else a test.
 *
 * User space counts up a vCPU's takes before it takes the bits. So a mark of an older take proves
 * nothing, and one of this take means that the bit was set after the last take began.
 */
#pragma once

#include "bpf/kvm/maps.bpf.h"
#include "bpf/kvm/msr_bit.h"

static __always_inline __u64 mark_of(const struct ks_vcpu_row* vcpu, __u32 member) {
  return ((__u64) * (const volatile __u32*)&vcpu->takes + 1) << 32 | member;
}

/* NULL where there are none (counted as a loss). */
static __always_inline struct ks_kvm_sets* sets_of(const struct ks_vcpu_row* vcpu) {
  __u32 slot = vcpu->vm_slot;
  struct ks_kvm_sets* sets = bpf_map_lookup_elem(&kvm_sets, &slot);
  if (!sets) KS_LOSE(row_lookup);
  return sets;
}

/* MEMBER was first seen with this access. Two vCPUs that write here at once may mix two up. */
static __always_inline void keep_access(struct ks_access* accesses, __u64 member, __u32 size,
                                        __u32 count) {
  __u32 place = member;
  barrier_var(place); /* else the compiler drops the mask that the verifier needs */
  struct ks_access* access = &accesses[place & (KS_ACCESSES - 1)];
  access->size = size;
  access->count = count;
  barrier(); /* who finds the member finds what is said of it */
  access->member = member + 1;
}

static __always_inline void set_bit(struct ks_kvm_sets* sets, __u64* word, __u32 bit) {
  if (set_first(word, bit)) __sync_fetch_and_or(&sets->changed, KS_CHANGED_FEW);
}

/* The same in WORD of a large set: PARTS says through which parts of it to look. */
static __always_inline void set_bit_of_many(struct ks_kvm_sets* sets, __u64* word, __u64* parts,
                                            enum ks_changed changed, __u32 bit) {
  if (!set_first(word, bit)) return;
  __sync_fetch_and_or(parts, 1ULL << (bit / KS_PART & 63));
  __sync_fetch_and_or(&sets->changed, changed);
}

static __always_inline void set_port(struct ks_kvm_sets* sets, __u32 port) {
  set_bit_of_many(sets, &sets->ports[port / 64], &sets->port_parts, KS_CHANGED_PORTS, port);
}

/* BIT: below KS_MSR_BITS, see msr_bit(). */
static __always_inline void set_msr(struct ks_kvm_sets* sets, __u32 bit) {
  set_bit_of_many(sets, &sets->msrs_written[bit / 64], &sets->msr_parts, KS_CHANGED_MSRS, bit);
}

/* Keeps KEY, which is not 0, in TABLE of SIZE places, a power of two, and says CHANGED, or else
 * counts OVERFLOW. Whether it is new there. */
static __always_inline bool put(struct ks_kvm_sets* sets, __u64* table, __u32 size,
                                enum ks_changed changed, __u64* overflow, __u64 key) {
  __u32 place = key * 0x9e3779b97f4a7c15ULL >> 32; /* Fibonacci hashing: neighbours spread */
#pragma unroll
  for (__u32 probe = 0; probe < KS_TABLE_PROBES; probe++) {
    __u32 index = place + probe;
    barrier_var(index); /* else the compiler drops the mask that the verifier needs */
    index &= size - 1;
    __u64 found = table[index];
    if (!found) found = __sync_val_compare_and_swap(&table[index], 0, key);
    if (found == key) return false;
    if (found) continue;
    __sync_fetch_and_or(&sets->changed, changed);
    return true;
  }
  __sync_fetch_and_add(overflow, 1);
  __sync_fetch_and_or(&sets->changed, KS_CHANGED_FEW);
  return false;
}
