/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the host puts into the guest: interrupts and exceptions. An exit can cut a delivery short;
 * it is then begun again at the next entry, and still is one.
 */
#include "bpf/kvm/loaded_meter.bpf.h"
#include "bpf/kvm/record.bpf.h"

KS_LICENSE;

/* TP_PROTO(unsigned int vector, bool soft, bool reinjected), arch/x86/kvm/trace.h. */
static __always_inline void on_interrupt(const __u64* ctx) {
  if ((__u8)ctx[2]) return;
  count_loaded(KS_METER_INTERRUPT, (__u8)ctx[0]);
}
KS_TRACEPOINT(kvm_inj_virq, on_interrupt)
KS_RECORD(kvm_inj_virq, on_interrupt, ctx->vector, 0, ctx->reinjected)

/* TP_PROTO(unsigned exception, bool has_error, unsigned error_code, bool reinjected). */
static __always_inline void on_exception(const __u64* ctx) {
  if ((__u8)ctx[3]) return;
  count_loaded(KS_METER_EXCEPTION, (__u8)ctx[0]);
}
KS_TRACEPOINT(kvm_inj_exception, on_exception)
KS_RECORD(kvm_inj_exception, on_exception, ctx->exception, 0, 0, ctx->reinjected)
