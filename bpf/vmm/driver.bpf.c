/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Strangers that drive a VM by its files: who got hold of one runs its vCPUs, sets their registers
 * or injects interrupts, or tries to. KVM refuses a process of another address space than the one
 * that made the VM (virt/kvm/kvm_main.c: -EIO), which is what is looked for: a run of a vCPU by its
 * VMM costs a trampoline and a compare. Where fexit programs do not reach one of the functions,
 * every call is looked at, at its beginning, as KVM does: a vCPU that runs would hold a kretprobe
 * for as long.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"

KS_LICENSE;

#define KS_EIO 5 /* include/uapi/asm-generic/errno-base.h */

/* A VM that broke is refused to its own VMM, too. */
static __noinline int note_driver(__u64 kvm) {
  report_stranger((__u64)BPF_CORE_READ((struct kvm*)kvm, mm), KS_ACT_DRIVEN);
  return 0;
}

static __always_inline __u64 object_of(__u64 file) {
  return (__u64)BPF_CORE_READ((struct file*)file, private_data);
}

#define DRIVEN(function, kvm_of)                                         \
  KS_FIRED(function##_fexit);                                            \
  KS_FIRED(function##_kprobe);                                           \
  SEC("fexit/" #function) int function##_fexit(__u64* ctx) {             \
    KS_NOTE_FIRED(function##_fexit);                                     \
    if ((int)ctx[3] == -KS_EIO) note_driver(kvm_of(object_of(ctx[0])));  \
    return 0;                                                            \
  }                                                                      \
  SEC("kprobe/" #function) int function##_kprobe(struct pt_regs* regs) { \
    KS_NOTE_FIRED(function##_kprobe);                                    \
    note_driver(kvm_of(object_of(regs->di)));                            \
    return 0;                                                            \
  }

static __always_inline __u64 itself(__u64 kvm) {
  return kvm;
}

static __always_inline __u64 of_vcpu(__u64 vcpu) {
  return (__u64)BPF_CORE_READ((struct kvm_vcpu*)vcpu, kvm);
}

static __always_inline __u64 of_device(__u64 device) {
  return (__u64)BPF_CORE_READ((struct kvm_device*)device, kvm);
}

/* long FUNCTION(struct file *filp, unsigned int ioctl, unsigned long arg); the compat ones, of
 * 32-bit programs, refuse by themselves. */
DRIVEN(kvm_vcpu_ioctl, of_vcpu)
DRIVEN(kvm_vm_ioctl, itself)
DRIVEN(kvm_device_ioctl, of_device)
DRIVEN(kvm_vcpu_compat_ioctl, of_vcpu)
DRIVEN(kvm_vm_compat_ioctl, itself)
