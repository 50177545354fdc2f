/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The boundary itself: VM exits and entries. Both carry their vCPU. */
#include "bpf/meter.bpf.h"
#include "bpf/whose.bpf.h"

KS_LICENSE;

/* TP_PROTO(struct kvm_vcpu *vcpu, u32 isa), arch/x86/kvm/trace.h. */
static __always_inline void on_exit(const __u64* ctx) {
  struct ks_vcpu_row* vcpu = row_of(ctx[0]);
  if (vcpu) meter_add(vcpu, KS_METER_EXIT, 1, 0);
}
KS_TRACEPOINT(kvm_exit, on_exit)

/* TP_PROTO(struct kvm_vcpu *vcpu, ...): later kernels add arguments. */
static __always_inline void on_entry(const __u64* ctx) {
  struct ks_vcpu_row* vcpu = row_of(ctx[0]);
  if (vcpu) meter_add(vcpu, KS_METER_ENTRY, 1, 0);
}
KS_TRACEPOINT(kvm_entry, on_entry)
