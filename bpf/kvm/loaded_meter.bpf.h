/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Meters of the vCPU that is loaded on this CPU. */
#pragma once

#include "bpf/kvm/meter.bpf.h"
#include "bpf/kvm/whose.bpf.h"

/* One more occurrence; LAST is what it names. */
static __always_inline void count_loaded(enum ks_kvm_meter meter, __u64 last) {
  struct ks_vcpu_row* vcpu = loaded_row();
  if (vcpu) meter_add(vcpu, meter, 1, last);
}
