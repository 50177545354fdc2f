/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * LSTAR, the entry to the guest's kernel: AMD's hardware lets the guest write it unseen, so it is
 * looked at in sampled exits. Set once at boot, it changes when something takes the entry over.
 * KVM saves it into the first VMCB after each run (arch/x86/kvm/svm/vmenter.S).
 *
 * A vCPU's reset makes it 0, and leaves protected mode, so that what follows is a boot's first
 * value again; else a 0 is a change like others, or two writes could hide one. A guest with SVM on
 * loads its own guests' LSTAR, too: there a change says nothing, and none is told.
 */
#pragma once

#include "bpf/kvm/exit_state.bpf.h"
#include "bpf/kvm/sets.bpf.h"

#define KS_MSR_LSTAR 0xc0000082U
#define KS_EFER_SVME (1ULL << 12)
#define KS_CR0_PE 1ULL

static __always_inline void watch_lstar(const struct ks_vcpu_row* vcpu, struct ks_exit_row* exits) {
  const struct vcpu_svm* svm = (struct vcpu_svm*)vcpu->vcpu;
  if (exits->isa != KS_ISA_SVM || !bpf_core_type_exists(struct vcpu_svm)) return;
  if (is_protected(vcpu->vcpu) || !bpf_core_field_exists(svm->vmcb01)) return;
  const struct vmcb_save_area* save = &BPF_CORE_READ(svm, vmcb01.ptr)->save;
  /* KVM's copy is the guest's: in the VMCB the processor itself needs the bit set. */
  if (BPF_CORE_READ(svm, vcpu.arch.efer) & KS_EFER_SVME) return;
  __u64 before = exits->lstar;
  exits->lstar = BPF_CORE_READ(save, lstar);
  bool reset = !exits->lstar && !(BPF_CORE_READ(save, cr0) & KS_CR0_PE);
  if (!before || reset || exits->lstar == before) return;
  struct ks_kvm_sets* sets = sets_of(vcpu);
  if (!sets) return;
  __u32 bit = msr_bit(KS_MSR_LSTAR);
  set_bit(sets, &sets->msrs_written[bit / 64], bit);
}
