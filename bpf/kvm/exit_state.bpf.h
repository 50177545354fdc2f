/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the vendors' structs say of an exit. Both have the kvm_vcpu as their first member
 * (arch/x86/kvm/svm/svm.h, vmx/vmx.h).
 *
 * SVM's processor writes all of it to memory at each exit. VMX's keeps it, and KVM reads a part
 * only when it needs it, and marks it as read: what is not marked is of an earlier exit.
 */
#pragma once

#include "bpf/common.bpf.h"
#include "bpf/kvm/records.h"
#include "bpf/kvm/exit_reason.h"
#include "bpf/number.bpf.h"

#define KS_MSR_LSTAR 0xc0000082U /* arch/x86/include/asm/msr-index.h */

struct ks_exit_state {
  __u64 rip;
  __u64 cr3;
  __u32 cpl;
  __u32 known; /* enum ks_known */
};

/* Why VCPU left, in the vendor's numbers: all bits set where this kernel does not tell. */
static __always_inline __u32 exit_code(__u64 vcpu, __u32 isa) {
  if (isa == KS_ISA_VMX && bpf_core_type_exists(struct vcpu_vmx)) {
    const struct vcpu_vmx___vt* newer = (struct vcpu_vmx___vt*)vcpu;
    if (bpf_core_field_exists(newer->vt)) return BPF_CORE_READ(newer, vt.exit_reason.full);
    return BPF_CORE_READ((struct vcpu_vmx*)vcpu, exit_reason.full);
  }
  if (isa == KS_ISA_SVM && bpf_core_type_exists(struct vcpu_svm))
    return BPF_CORE_READ((struct vcpu_svm*)vcpu, vmcb, control.exit_code);
  return 0x7fffffff; /* no vendor's: counts as KS_EXIT_OTHER */
}

/* Numbers of registers. Those of the first seventeen are the instruction set's and have not changed
 * (arch/x86/include/asm/kvm_vcpu_regs.h, enum kvm_reg); the others' are the running kernel's. */
#define KS_REG_RSP 4
#define KS_REG_RIP 16

#define KS_REG(name)                                           \
  (bpf_core_enum_value_exists(enum kvm_reg, VCPU_EXREG_##name) \
       ? bpf_core_enum_value(enum kvm_reg, VCPU_EXREG_##name)  \
       : bpf_core_enum_value(enum kvm_reg___renamed, VCPU_REG_##name))

/* Bit N: KVM has register N in memory; what it has not is in the processor. */
static __always_inline __u64 registers_at_hand(const struct kvm_vcpu_arch* arch) {
  const struct kvm_vcpu_arch___bitmap* newer = (void*)arch;
  __u64 bits = 0;
  if (!bpf_core_field_exists(newer->regs_avail)) return BPF_CORE_READ(arch, regs_avail);
  bpf_core_read(&bits, sizeof(bits), &newer->regs_avail);
  return bits;
}

static __always_inline __u64 rip_of(const struct kvm_vcpu_arch* arch) {
  const struct kvm_vcpu_arch___bitmap* newer = (void*)arch;
  if (bpf_core_field_exists(newer->rip)) return BPF_CORE_READ(newer, rip);
  __u64 rip = 0;
  bpf_probe_read_kernel(&rip, sizeof(rip), (const void*)&arch->regs + KS_REG_RIP * sizeof(rip));
  return rip;
}

static __always_inline void read_vmx_state(__u64 vcpu, struct ks_exit_state* state) {
  const struct kvm_vcpu_arch* arch = &((struct kvm_vcpu*)vcpu)->arch;
  __u64 read = registers_at_hand(arch);
  if (read & (1ULL << KS_REG_RIP)) {
    state->rip = rip_of(arch);
    state->known |= KS_KNOWN_RIP;
  }
  if (read & (1ULL << KS_REG(CR3))) {
    state->cr3 = BPF_CORE_READ(arch, cr3);
    state->known |= KS_KNOWN_CR3;
  }
  /* KVM clears the mask only when it first asks for a segment after an exit. */
  if (!(read & (1ULL << KS_REG(SEGMENTS)))) return;
  const struct vcpu_vmx* vmx = (struct vcpu_vmx*)vcpu;
  __u32 segments = BPF_CORE_READ(vmx, segment_cache.bitmask);
  if (segments & (1U << (SEG_FIELD_AR + VCPU_SREG_SS * SEG_FIELD_NR))) {
    __u32 ar = 0;
    bpf_core_read(&ar, sizeof(ar), &vmx->segment_cache.seg[VCPU_SREG_SS].ar);
    state->cpl = ar >> 5 & 3; /* the descriptor privilege level of SS, SDM vol. 3 24.4.1 */
    state->known |= KS_KNOWN_CPL;
  }
}

static __always_inline void read_svm_state(__u64 vcpu, struct ks_exit_state* state) {
  const struct vmcb_save_area* save = &BPF_CORE_READ((struct vcpu_svm*)vcpu, vmcb)->save;
  state->rip = BPF_CORE_READ(save, rip);
  state->cr3 = BPF_CORE_READ(save, cr3);
  state->cpl = BPF_CORE_READ(save, cpl);
  state->known |= KS_KNOWN_RIP | KS_KNOWN_CR3 | KS_KNOWN_CPL;
}

/* Of an encrypted guest (SEV-ES, SNP, TDX) KVM's copies are not the guest's registers. */
static __always_inline bool is_protected(__u64 vcpu) {
  const struct kvm_vcpu_arch* arch = &((struct kvm_vcpu*)vcpu)->arch;
  return bpf_core_field_exists(arch->guest_state_protected) &&
         BPF_CORE_READ(arch, guest_state_protected);
}

static __always_inline void read_exit_state(__u64 vcpu, __u32 isa, struct ks_exit_state* state) {
  if (is_protected(vcpu)) return;
  if (isa == KS_ISA_VMX && bpf_core_type_exists(struct vcpu_vmx)) read_vmx_state(vcpu, state);
  if (isa == KS_ISA_SVM && bpf_core_type_exists(struct vcpu_svm)) read_svm_state(vcpu, state);
}

/* For a VMX exit this is called twice: what the second call learns is added. */
static __always_inline void keep_state(struct ks_exit_row* row, const struct ks_exit_state* state) {
  if (state->known & KS_KNOWN_RIP) row->rip = state->rip;
  if (state->known & KS_KNOWN_CR3) row->cr3 = state->cr3;
  if (state->known & KS_KNOWN_CPL) row->cpl = state->cpl;
  row->known |= state->known;
}
