/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Registers of a vCPU that has run already, and that its VMM sets to other values. A VMM reads and
 * writes them back as they were (a monitor that looks, a snapshot); it changes them when it resets
 * the guest or restores it, and then sets its MP state, too, after the registers (QEMU,
 * target/i386/kvm/kvm.c, kvm_arch_put_registers). What is changed without that, and then run, is
 * noted: the guest goes on where it did not stop. A VMM that knows of this can have a change pass
 * for a reset, which is counted. One that starts processors by itself, for it has their interrupt
 * controllers (QEMU's kernel_irqchip=off), changes registers without a reset.
 *
 * By KVM's functions, which are handed the kernel's own copy, while the vCPU's mutex is held.
 * Registers that KVM has not read from the processor since the last run (VMX) cannot be compared:
 * who sets these without a look at them changes them blindly.
 */
#include "bpf/kvm/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/kvm/exit_state.bpf.h"
#include "bpf/kvm/meter.bpf.h"
#include "bpf/kvm/protection.bpf.h"
#include "bpf/kvm/whose.bpf.h"

KS_LICENSE;

/* arch/x86/include/uapi/asm/processor-flags.h, asm/msr-index.h: what no guest may own, so that
 * KVM's copy is the guest's. */
#define KS_CR0_MODES (1ULL | 1ULL << 31)                                /* PE, PG */
#define KS_CR4_MODES (1ULL << 5 | 1ULL << 11 | 1ULL << 20 | 1ULL << 21) /* PAE UMIP SMEP SMAP */
#define KS_EFER_MODES (1ULL | 1ULL << 8 | 1ULL << 11)                   /* SCE, LME, NX */

/* In the order of kvm_vcpu_arch.regs: arch/x86/include/asm/kvm_vcpu_regs.h. */
enum { RAX, RCX, RDX, RBX, RSP = KS_REG_RSP, RBP, RSI, RDI, R8 };

/* arch/x86/include/uapi/asm/kvm.h: no part of the kernel's own types. */
struct ks_kvm_regs {
  __u64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
  __u64 r8[8];
  __u64 rip, rflags;
};

struct ks_kvm_sregs {
  __u64 segments_and_tables[28];
  __u64 cr0, cr2, cr3, cr4, cr8, efer;
};

/* The row of a vCPU that has come back from the guest; of others, what is set is their start. */
static __always_inline struct ks_vcpu_row* row_that_ran(__u64 vcpu) {
  struct ks_vcpu_row* row = row_of_argument(vcpu);
  if (!row || !row->meters[KS_METER_USERSPACE_EXIT].count) return 0;
  return is_protected(vcpu) ? 0 : row;
}

static __always_inline bool differs(__u64 at_hand, __u32 number, __u64 now, __u64 wanted) {
  return !(at_hand >> number & 1) || now != wanted;
}

/* int kvm_arch_vcpu_ioctl_set_regs(struct kvm_vcpu *vcpu, struct kvm_regs *regs),
 * arch/x86/kvm/x86.c */
static __always_inline void on_registers(const __u64* arguments, bool typed) {
  (void)typed;
  struct ks_vcpu_row* row = row_that_ran(arguments[0]);
  if (!row) return;
  const struct kvm_vcpu_arch* arch = &((struct kvm_vcpu*)arguments[0])->arch;
  __u64 at_hand = registers_at_hand(arch);
  __u64 now[16] = {};
  struct ks_kvm_regs to = {};
  bpf_core_read(now, sizeof(now), &arch->regs);
  bpf_probe_read_kernel(&to, sizeof(to), (void*)arguments[1]);
  bool general = now[RAX] != to.rax || now[RCX] != to.rcx || now[RDX] != to.rdx ||
                 now[RBX] != to.rbx || now[RBP] != to.rbp || now[RSI] != to.rsi ||
                 now[RDI] != to.rdi;
#pragma unroll
  for (int i = 0; i < 8; i++) general |= now[R8 + i] != to.r8[i];
  __u64 changed = general << KS_REGISTERS_GENERAL;
  if (differs(at_hand, RSP, now[RSP], to.rsp)) changed |= 1 << KS_REGISTERS_STACK;
  if (differs(at_hand, KS_REG_RIP, rip_of(arch), to.rip)) changed |= 1 << KS_REGISTERS_INSTRUCTION;
  row->rewritten |= changed;
}
KS_FUNCTION_ENTRY(kvm_arch_vcpu_ioctl_set_regs, on_registers)

/* void __set_regs(struct kvm_vcpu *vcpu, struct kvm_regs *regs), to which KVM_RUN comes as well,
 * with registers that the VMM left in its shared page (KVM_CAP_SYNC_REGS). */
KS_FUNCTION_ENTRY(__set_regs, on_registers)

static __always_inline void on_special(const __u64* arguments, bool typed) {
  (void)typed;
  struct ks_vcpu_row* row = row_that_ran(arguments[0]);
  if (!row) return;
  const struct kvm_vcpu_arch* arch = &((struct kvm_vcpu*)arguments[0])->arch;
  struct ks_kvm_sregs to = {};
  bpf_probe_read_kernel(&to, sizeof(to), (void*)arguments[1]);
  if (differs(registers_at_hand(arch), KS_REG(CR3), BPF_CORE_READ(arch, cr3), to.cr3))
    row->rewritten |= 1 << KS_REGISTERS_PAGE_TABLE;
  if ((BPF_CORE_READ(arch, cr0) ^ to.cr0) & KS_CR0_MODES ||
      (BPF_CORE_READ(arch, cr4) ^ to.cr4) & KS_CR4_MODES ||
      (BPF_CORE_READ(arch, efer) ^ to.efer) & KS_EFER_MODES)
    row->rewritten |= 1 << KS_REGISTERS_CONTROL;
}

/* int kvm_arch_vcpu_ioctl_set_sregs(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs) */
KS_FUNCTION_ENTRY(kvm_arch_vcpu_ioctl_set_sregs, on_special)

/* int __set_sregs(struct kvm_vcpu *vcpu, struct kvm_sregs *sregs): the same by KVM_RUN. */
KS_FUNCTION_ENTRY(__set_sregs, on_special)

/* int kvm_vcpu_ioctl_x86_set_sregs2(struct kvm_vcpu *vcpu, struct kvm_sregs2 *sregs2), whose first
 * fields are the same. In Linux 6.1 it is a part of a function that is handed user memory, and goes
 * unseen. */
KS_FUNCTION_ENTRY(kvm_vcpu_ioctl_x86_set_sregs2, on_special)

/* What VMX guests write to LSTAR comes to KVM, which keeps it at this place of its list
 * (arch/x86/kvm/vmx/vmx.c, vmx_uret_msrs_list). */
#define KS_URET_LSTAR 1

/* Whether VCPU, of the vendor ISA, has WANTED there, as far as that can be told. */
static __always_inline bool has_lstar(__u64 vcpu, __u32 isa, __u64 wanted) {
  const struct vcpu_svm* svm = (struct vcpu_svm*)vcpu;
  const struct vcpu_vmx___msrs* vmx = (struct vcpu_vmx___msrs*)vcpu;
  __u64 now = wanted;
  if (isa == KS_ISA_SVM && bpf_core_type_exists(struct vcpu_svm) &&
      bpf_core_field_exists(svm->vmcb01))
    now = BPF_CORE_READ(svm, vmcb01.ptr, save.lstar);
  if (isa == KS_ISA_VMX && bpf_core_type_exists(struct vcpu_vmx) &&
      bpf_core_field_exists(vmx->guest_uret_msrs))
    bpf_core_read(&now, sizeof(now), &vmx->guest_uret_msrs[KS_URET_LSTAR].data);
  return now == wanted;
}

/* int __kvm_set_msr(struct kvm_vcpu *vcpu, u32 index, u64 data, bool host_initiated),
 * arch/x86/kvm/x86.c: the guest's own writes come here, too, so that most leave at once. Not the
 * vendor's function, whose module could not be unloaded then. */
static __always_inline void on_msr(const __u64* arguments, bool typed) {
  (void)typed;
  if (!(__u8)arguments[3] || (__u32)arguments[1] != KS_MSR_LSTAR) return;
  struct ks_vcpu_row* row = row_that_ran(arguments[0]);
  const struct ks_exit_row* exits = row ? exits_of(row) : 0;
  if (exits && !has_lstar(arguments[0], exits->isa, arguments[2]))
    row->rewritten |= 1 << KS_REGISTERS_ENTRY;
}
KS_FUNCTION_ENTRY(__kvm_set_msr, on_msr)

/* The same, which newer kernels have in its place, or around it. */
KS_FUNCTION_ENTRY(kvm_set_msr_ignored_check, on_msr)

/* int kvm_arch_vcpu_ioctl_set_mpstate(struct kvm_vcpu *vcpu, struct kvm_mp_state *mp_state) */
static __always_inline void on_mp_state(const __u64* arguments, bool typed) {
  (void)typed;
  struct ks_vcpu_row* row = row_that_ran(arguments[0]);
  if (!row) return;
  row->rewritten = 0;
  meter_add(row, KS_METER_RESET, 1, 0);
}
KS_FUNCTION_ENTRY(kvm_arch_vcpu_ioctl_set_mpstate, on_mp_state)
