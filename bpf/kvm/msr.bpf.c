/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The guest's accesses to model-specific registers, as far as KVM handles them. */
#include "bpf/kvm/meter.bpf.h"
#include "bpf/kvm/record.bpf.h"
#include "bpf/kvm/sets.bpf.h"
#include "bpf/kvm/whose.bpf.h"

KS_LICENSE;

/* HV_X64_MSR_CRASH_CTL, by which a guest of Hyper-V says that it crashed (Hypervisor Top Level
 * Functional Specification, "Guest Crash Enlightenment"). */
#define HYPERV_CRASH 0x40000105
#define HYPERV_CRASH_NOTIFY (1ULL << 63)

static __noinline int note_crash(const struct ks_vcpu_row* vcpu) {
  struct ks_kvm_sets* sets = vcpu ? sets_of(vcpu) : 0;
  if (sets) set_bit(sets, &sets->panicked, KS_PANIC_HYPERV);
  return 0;
}

/* TP_PROTO(unsigned write, u32 ecx, u64 data, bool exception), arch/x86/kvm/trace.h. */
static __always_inline void on_msr(const __u64* ctx) {
  struct ks_vcpu_row* vcpu = loaded_row();
  if (!vcpu) return;
  __u32 msr = (__u32)ctx[1];
  meter_add(vcpu, KS_METER_MSR, 1, msr);
  if ((__u8)ctx[3]) meter_add(vcpu, KS_METER_MSR_FAULT, 1, msr);
  if (!(__u32)ctx[0]) return;
  if (msr == HYPERV_CRASH && ctx[2] & HYPERV_CRASH_NOTIFY && !(__u8)ctx[3]) note_crash(vcpu);
  __u64 mark = mark_of(vcpu, msr);
  if (vcpu->meters[KS_METER_MSR].marked == mark) return;
  struct ks_kvm_sets* sets = sets_of(vcpu);
  if (!sets) return;
  __u32 bit = msr_bit(msr);
  if (bit < KS_MSR_BITS) {
    barrier_var(bit); /* else the compiler drops the mask that the verifier needs */
    bit &= KS_MSR_BITS - 1;
    set_msr(sets, bit);
  } else {
    put(sets, sets->other_msrs, KS_OTHER_MSRS, KS_CHANGED_OTHER_MSRS, &sets->msr_overflow,
        (__u64)msr + 1);
  }
  vcpu->meters[KS_METER_MSR].marked = mark;
}
KS_TRACEPOINT(kvm_msr, on_msr)
KS_RECORD(kvm_msr, on_msr, ctx->write, ctx->ecx, ctx->data, ctx->exception)
