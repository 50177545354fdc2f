/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The canary: attached to nothing, run by user space (BPF_PROG_TEST_RUN) every few seconds. It
 * takes the way that every record takes; one that does not come back tells of a broken way.
 */
#include "bpf/maps.bpf.h"

KS_LICENSE;

KS_DESCRIBE(ks_canary);

/* Returns 0, or 1 where the ring has no room. */
SEC("raw_tp") int canary(const __u64* ctx) {
  struct ks_canary* record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
  if (!record) return 1;
  record->header.version = KS_LAYOUT_VERSION;
  record->header.kind = KS_RECORD_CANARY;
  record->header.size = sizeof(*record);
  record->header.time_ns = bpf_ktime_get_ns();
  record->header.vm_serial = 0;
  record->number = ctx[0];
  bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
  return 0;
}
