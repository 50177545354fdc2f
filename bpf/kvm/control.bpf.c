/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Control registers. Writes by KVM's functions, to which every way leads; the tracepoint kvm_cr is
 * raised by Intel's exits alone, for reads and writes of any of them.
 */
#include "bpf/kvm/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/kvm/loaded_meter.bpf.h"
#include "bpf/kvm/protection.bpf.h"
#include "bpf/kvm/record.bpf.h"

KS_LICENSE;

/* arch/x86/include/uapi/asm/processor-flags.h */
#define KS_CR4_PAE (1ULL << 5)
#define KS_CR4_UMIP (1ULL << 11)
#define KS_CR4_SMEP (1ULL << 20)
#define KS_CR4_SMAP (1ULL << 21)

static __always_inline struct ks_vcpu_row* on_write(__u64 address, __u32 cr) {
  struct ks_vcpu_row* vcpu = row_of(address);
  if (vcpu) meter_add(vcpu, KS_METER_CONTROL_WRITE, 1, cr);
  return vcpu;
}

/* LOST are bits of CR4 that were set, and will not be: no kernel clears these once it runs. */
static __always_inline void on_lost(const struct ks_vcpu_row* vcpu, __u64 lost) {
  if (!(lost & (KS_CR4_UMIP | KS_CR4_SMEP | KS_CR4_SMAP))) return;
  struct ks_kvm_sets* sets = sets_of(vcpu);
  if (!sets) return;
  if (lost & KS_CR4_UMIP) set_bit(sets, &sets->protection_lost, KS_LOST_UMIP);
  if (lost & KS_CR4_SMEP) set_bit(sets, &sets->protection_lost, KS_LOST_SMEP);
  if (lost & KS_CR4_SMAP) set_bit(sets, &sets->protection_lost, KS_LOST_SMAP);
}

/* int kvm_set_cr4(struct kvm_vcpu *vcpu, unsigned long cr4), arch/x86/kvm/x86.c: accepted or not.
 */
static __always_inline void on_cr4(const __u64* arguments, bool typed) {
  (void)typed;
  struct ks_vcpu_row* vcpu = on_write(arguments[0], 4);
  __u64 before = BPF_CORE_READ((struct kvm_vcpu*)arguments[0], arch.cr4);
  if (!vcpu) return;
  on_lost(vcpu, before & ~arguments[1]);
  /* Long mode needs PAE: a vCPU that turns it on was reset. */
  if (before & KS_CR4_PAE || !(arguments[1] & KS_CR4_PAE)) return;
  struct ks_exit_row* exits = exits_of(vcpu);
  if (exits) forget_protection(exits);
}
KS_FUNCTION_ENTRY(kvm_set_cr4, on_cr4)

/* void kvm_post_set_cr0(struct kvm_vcpu *vcpu, unsigned long old_cr0, unsigned long cr0) */
static __always_inline void on_cr0(const __u64* arguments, bool typed) {
  (void)typed;
  on_write(arguments[0], 0);
}
KS_FUNCTION_ENTRY(kvm_post_set_cr0, on_cr0)

/* TP_PROTO(unsigned int rw, unsigned int cr, unsigned long val), arch/x86/kvm/trace.h */
static __always_inline void on_access(const __u64* ctx) {
  count_loaded(KS_METER_CONTROL_ACCESS, (__u32)ctx[1]);
}
KS_TRACEPOINT(kvm_cr, on_access)
KS_RECORD(kvm_cr, on_access, 0, ctx->cr)
