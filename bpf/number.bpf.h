/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Numbers, as the verifier likes them. */
#pragma once

#include "bpf/common.bpf.h"

/* Of 0 and 1: 0. It has no branch: the verifier would follow what comes after once for each. */
static __always_inline __u32 log2_of(__u64 value) {
  __u32 log = 0;
#pragma unroll
  for (__u32 step = 32; step; step /= 2) {
    __u64 high = value >> step;
    __u32 shift = (__u32)((high | -high) >> 63) * step;
    value >>= shift;
    log += shift;
  }
  return log;
}

/* The address that POINTER holds, as a number to calculate with. One whose type the verifier knows
 * becomes a number only by way of memory. */
static __always_inline __u64 address_of(const void* pointer) {
  __u64 address = 0;
  bpf_probe_read_kernel(&address, sizeof(address), &pointer);
  return address;
}
