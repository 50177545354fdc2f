/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Meters of a vCPU. */
#pragma once

#include "bpf/kvm/maps.bpf.h"
/* after the maps that it counts in: */
#include "bpf/meter.bpf.h"

/* COUNT more occurrences on VCPU, which has one writer at a time; LAST is what the latest names. */
static __always_inline void meter_add(struct ks_vcpu_row* vcpu, enum ks_kvm_meter meter,
                                      __u64 count, __u64 last) {
  struct ks_meter_row* row = &vcpu->meters[meter];
  __u64 total = row->count + count;
  row->count = total;
  row->last = last;
  if (total >= row->checkpoint) meter_look(row, meter, count, vcpu->vm_slot, vcpu->vcpu_index);
}
