/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What protects the guest's kernel from its programs, and does not go once it was set up: CR0.WP,
 * EFER.NX, and LSTAR, the entry to the kernel. Hardware lets guests write most of it unseen, so it
 * is looked at in sampled exits; CR4, whose writes are seen, in control.bpf.c.
 *
 * LSTAR and CR0 are AMD's alone to be read: KVM saves them into the first VMCB after each run
 * (arch/x86/kvm/svm/vmenter.S), VMX's stay in the processor.
 *
 * A vCPU that was reset boots a kernel of its own, whose values are the first again. On its way
 * into long mode it turns CR4.PAE on, whose write is always seen (control.bpf.c). A guest with SVM
 * on loads its own guests' state, too: there a change says nothing, and none is noted.
 */
#pragma once

#include "bpf/kvm/exit_state.bpf.h"
#include "bpf/kvm/sets.bpf.h"

#define KS_EFER_LME (1ULL << 8) /* arch/x86/include/asm/msr-index.h */
#define KS_EFER_NX (1ULL << 11)
#define KS_EFER_SVME (1ULL << 12)
#define KS_CR0_PE 1ULL /* arch/x86/include/uapi/asm/processor-flags.h */
#define KS_CR0_WP (1ULL << 16)
#define KS_CR0_PG (1ULL << 31)

static __always_inline struct ks_exit_row* exits_of(const struct ks_vcpu_row* vcpu) {
  __u32 slot = vcpu->slot;
  struct ks_exit_row* row = bpf_map_lookup_elem(&exits, &slot);
  if (!row) KS_LOSE(row_lookup);
  return row;
}

/* The vCPU boots a kernel: what it has by now is the first of that. */
static __always_inline void forget_protection(struct ks_exit_row* exits) {
  exits->efer = 0;
  exits->cr0 = 0;
  exits->lstar = 0;
}

static __always_inline void lose_protection(const struct ks_vcpu_row* vcpu, __u32 what) {
  struct ks_kvm_sets* sets = sets_of(vcpu);
  if (sets) set_bit(sets, &sets->protection_lost, what);
}

static __always_inline void watch_lstar(const struct ks_vcpu_row* vcpu, struct ks_exit_row* exits,
                                        __u64 lstar, __u64 cr0) {
  __u64 before = exits->lstar;
  exits->lstar = lstar;
  bool reset = !lstar && !(cr0 & KS_CR0_PE);
  if (!before || reset || lstar == before) return;
  struct ks_kvm_sets* sets = sets_of(vcpu);
  if (!sets) return;
  set_bit(sets, &sets->protection_lost, KS_LOST_LSTAR);
  set_msr(sets, msr_bit(KS_MSR_LSTAR));
}

/* What went since the last sampled exit. WP counts only where paging was on, and still is. */
static __always_inline void watch_protection(const struct ks_vcpu_row* vcpu,
                                             struct ks_exit_row* exits) {
  const struct kvm_vcpu_arch* arch = &((struct kvm_vcpu*)vcpu->vcpu)->arch;
  __u64 efer = BPF_CORE_READ(arch, efer);
  if (is_protected(vcpu->vcpu) || (efer & KS_EFER_SVME)) {
    forget_protection(exits);
    return;
  }
  __u64 efer_before = exits->efer;
  exits->efer = efer;
  if (efer_before & KS_EFER_NX && !(efer & KS_EFER_NX) && efer & KS_EFER_LME)
    lose_protection(vcpu, KS_LOST_NX);
  const struct vcpu_svm* svm = (struct vcpu_svm*)vcpu->vcpu;
  if (exits->isa != KS_ISA_SVM || !bpf_core_type_exists(struct vcpu_svm)) return;
  if (!bpf_core_field_exists(svm->vmcb01)) return;
  const struct vmcb_save_area* save = &BPF_CORE_READ(svm, vmcb01.ptr)->save;
  __u64 cr0 = BPF_CORE_READ(save, cr0);
  __u64 cr0_before = exits->cr0;
  exits->cr0 = cr0;
  if (cr0_before & KS_CR0_WP && cr0_before & KS_CR0_PG && cr0 & KS_CR0_PG && !(cr0 & KS_CR0_WP))
    lose_protection(vcpu, KS_LOST_WP);
  watch_lstar(vcpu, exits, BPF_CORE_READ(save, lstar), cr0);
}
