/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the guest makes KVM do for it, without leaving to the VMM. All in vCPU context. */
#include "bpf/kvm/loaded_meter.bpf.h"
#include "bpf/kvm/record.bpf.h"

KS_LICENSE;

#define LAST_HYPERCALL_BIT 63

/* TP_PROTO(unsigned long nr, unsigned long a0, ...), arch/x86/kvm/trace.h. */
static __always_inline void on_hypercall(const __u64* ctx) {
  struct ks_vcpu_row* vcpu = loaded_row();
  if (!vcpu) return;
  __u64 number = ctx[0];
  set_first(&vcpu->hypercalls_seen, number < LAST_HYPERCALL_BIT ? number : LAST_HYPERCALL_BIT);
  meter_add(vcpu, KS_METER_HYPERCALL, 1, number);
}
KS_TRACEPOINT(kvm_hypercall, on_hypercall)
KS_RECORD(kvm_hypercall, on_hypercall, ctx->nr)

/* TP_PROTO(unsigned int vcpu_id, u64 smbase, bool entering), raised by the vCPU's own thread. */
static __always_inline void on_smm(const __u64* ctx) {
  if (!(__u8)ctx[2]) return;
  count_loaded(KS_METER_SMM, 0);
}
KS_TRACEPOINT(kvm_smm_transition, on_smm)
KS_RECORD(kvm_smm_transition, on_smm, 0, 0, ctx->entering)

/* Arguments differ from kernel to kernel: none is used. */
static __always_inline void on_page_fault(const __u64* ctx) {
  (void)ctx;
  count_loaded(KS_METER_PAGE_FAULT, 0);
}
KS_TRACEPOINT(kvm_page_fault, on_page_fault)
KS_RECORD(kvm_page_fault, on_page_fault, 0)

static __always_inline void on_nested_exit(const __u64* ctx) {
  (void)ctx;
  count_loaded(KS_METER_NESTED_EXIT, 0);
}
KS_TRACEPOINT(kvm_nested_vmexit, on_nested_exit)
KS_RECORD(kvm_nested_vmexit, on_nested_exit, 0)

/* TP_PROTO(struct kvm_vcpu *vcpu, __u8 failed) */
static __always_inline void on_emulation(const __u64* ctx) {
  struct ks_vcpu_row* vcpu = row_of_argument(ctx[0]);
  if (vcpu) meter_add(vcpu, KS_METER_EMULATION, 1, 0);
}
KS_TRACEPOINT(kvm_emulate_insn, on_emulation)

static __always_inline void on_emulation_record(const __u64* ctx) {
  (void)ctx;
  count_loaded(KS_METER_EMULATION, 0);
}
KS_RECORD(kvm_emulate_insn, on_emulation_record, 0)

/* TP_PROTO(u64 gpa) */
static __always_inline void on_fast_mmio(const __u64* ctx) {
  count_loaded(KS_METER_FAST_MMIO, ctx[0]);
}
KS_TRACEPOINT(kvm_fast_mmio, on_fast_mmio)
KS_RECORD(kvm_fast_mmio, on_fast_mmio, ctx->gpa)
