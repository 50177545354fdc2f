/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Rows that a source has of a VM as a whole, in the slot of its row in the table of VMs. The VM
 * that a row is of is named by its serial, and the first program that counts for a VM claims the
 * row. User space has emptied it when the last VM went (Source::Release). A program that found its
 * VM just before that, and counts just after, claims the row for the dead: the next VM, whose
 * serial is higher, takes it over.
 */
#pragma once

#include "bpf/maps.bpf.h"

/* Whether the row is the VM SERIAL's: not if a younger VM has it. */
static __always_inline bool claim_for_vm(__u64* vm_serial, __u64 serial) {
  __u64 found = *(volatile __u64*)vm_serial;
  if (found == serial) return true;
  if (found > serial) return false;
  __u64 before = __sync_val_compare_and_swap(vm_serial, found, serial);
  return before == found || before == serial;
}

static __always_inline void mark_used_once(void* map, __u32 slot) {
  __u32 index = slot / 64;
  const volatile __u64* word = bpf_map_lookup_elem(map, &index);
  if (word && !(*word & 1ULL << (slot & 63))) mark_used(map, slot, true);
}

/* SOURCE_vm_row(slot, serial): the row of the VM SERIAL in SLOT, of SOURCE's table SOURCE_vms. */
#define KS_VM_ROW(source)                                                                         \
  static __always_inline struct ks_##source##_vm_row* source##_vm_row(__u32 slot, __u64 serial) { \
    struct ks_##source##_vm_row* row = bpf_map_lookup_elem(&source##_vms, &slot);                 \
    if (!row || !claim_for_vm(&row->vm_serial, serial)) return 0;                                 \
    mark_used_once(&source##_vms_used, slot);                                                     \
    return row;                                                                                   \
  }

/* NUMBER was seen: a bit of BITS, which hold COUNT, a multiple of 64. Bit 0 of CHANGED says so. */
static __always_inline void note_bit(__u64* bits, __u32 count, __u64* changed, __u32 number) {
  barrier_var(number); /* else the compiler drops the check that the verifier needs */
  if (number >= count) return;
  if (set_first(&bits[number / 64], number)) __sync_fetch_and_or(changed, 1);
}
