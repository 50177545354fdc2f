/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What every program includes first. */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
/* after the kernel's: */
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/kernel_types.h"
#include "bpf/records.h"

#define KS_LICENSE char LICENSE[] SEC("license") = "Dual BSD/GPL"

/* 0, for what a callback finds again as it left it, but the verifier must not know: before
 * Linux 6.7 it follows a callback once and no further, and drops what it believes to be never
 * reached. */
static __always_inline __u32 zero_that_changes(void) {
  __u64 value = bpf_get_current_task();
  asm volatile("%0 ^= %0" : "+r"(value));
  return value;
}

/* Keeps a struct that is in no map in the object's BTF, for its layout to be compared. */
#define KS_DESCRIBE(name) const struct name* name##_described __weak SEC(".bss")

/*
 * That a program is attached does not say that it ever runs: on some kernels LSM programs attach
 * and never do. So each notes its first run in a byte that user space finds by the program's name:
 * a load, and a branch that is taken once.
 */
#define KS_FIRED(program) volatile __u8 program##_fired SEC(".data.fired")
#define KS_NOTE_FIRED(program)                 \
  do {                                         \
    if (!program##_fired) program##_fired = 1; \
  } while (0)

/*
 * One handler, two variants of its hook in order of cost. Both see the tracepoint's raw arguments
 * as an array of 64-bit values; tp_btf is the same hook with types that the verifier knows.
 */
#define KS_TRACEPOINT(tracepoint, handler)                         \
  KS_FIRED(tracepoint##_tp_btf);                                   \
  KS_FIRED(tracepoint##_raw_tp);                                   \
  SEC("tp_btf/" #tracepoint) int tracepoint##_tp_btf(__u64* ctx) { \
    KS_NOTE_FIRED(tracepoint##_tp_btf);                            \
    handler(ctx);                                                  \
    return 0;                                                      \
  }                                                                \
  SEC("raw_tp/" #tracepoint) int tracepoint##_raw_tp(__u64* ctx) { \
    KS_NOTE_FIRED(tracepoint##_raw_tp);                            \
    handler(ctx);                                                  \
    return 0;                                                      \
  }
