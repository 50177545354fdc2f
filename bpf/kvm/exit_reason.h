/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which counter is an exit reason? Compiled by the programs and by user space. The vendors number
 * their reasons differently: a member is the reason's counter with the vendor's isa above it.
 */
#pragma once

#include "bpf/kvm/records.h"

#define KS_SVM_NPF 0x400          /* from here on SVM's codes go on: asm/svm.h */
#define KS_VMX_FAILED 0x80000000U /* the entry failed: asm/vmx.h */
#define KS_EXIT_PLAIN 0xc0        /* reasons below this count by their own number */
#define KS_EXIT_OTHER 0xd0        /* all that have no counter of their own */
#define KS_EXIT_FAILED_ENTRY 0xd1 /* the guest was not entered at all */

/* The index of CODE in ks_exit_row.reasons. CODE is the low half of SVM's exit code, or the whole
 * of VMX's exit reason. */
static inline __attribute__((always_inline)) uint32_t exit_index(uint32_t isa, uint32_t code) {
  if (isa == KS_ISA_VMX) {
    if (code & KS_VMX_FAILED) return KS_EXIT_FAILED_ENTRY;
    code &= 0xffff;
  } else {
    if (code == 0xffffffffU) return KS_EXIT_FAILED_ENTRY; /* VMEXIT_INVALID */
    if (code - KS_SVM_NPF < KS_EXIT_OTHER - KS_EXIT_PLAIN) return code - KS_SVM_NPF + KS_EXIT_PLAIN;
  }
  return code < KS_EXIT_PLAIN ? code : KS_EXIT_OTHER;
}

static inline __attribute__((always_inline)) uint32_t exit_member(uint32_t isa, uint32_t index) {
  return isa << 16 | index;
}
