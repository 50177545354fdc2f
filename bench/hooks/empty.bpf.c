/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Programs that do nothing, on the hot tracepoints: what having a hook costs at least. */
#include "bpf/common.bpf.h"

KS_LICENSE;

/* The kernel keeps 15 characters of a name: these stay apart from the sensor's own. */
#define EMPTY(tracepoint)                                             \
  SEC("tp_btf/kvm_" #tracepoint) int empty_##tracepoint(__u64* ctx) { \
    (void)ctx;                                                        \
    return 0;                                                         \
  }

EMPTY(pio)
EMPTY(mmio)
EMPTY(msr)
EMPTY(userspace_exit)
