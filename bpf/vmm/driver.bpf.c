/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Strangers that drive a VM by its files: who got hold of one runs its vCPUs, sets their registers
 * or injects interrupts, or tries to. KVM refuses a process of another address space than the one
 * that made the VM (virt/kvm/kvm_main.c: -EIO), which is what is looked for: so a run of a vCPU by
 * its VMM costs no more than a compare.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"

KS_LICENSE;

#define KS_EIO 5 /* include/uapi/asm-generic/errno-base.h */

/* A VM that broke is refused to its own VMM, too. */
static __noinline int note_driver(__u64 kvm) {
  __u64 mm = (__u64)BPF_CORE_READ((struct kvm*)kvm, mm);
  struct ks_owner actor = {}, owner = {};
  if (mm == (__u64)bpf_get_current_task_btf()->mm) return 0;
  if (vm_of_process(mm, 0, 0, &owner) != KS_A_VMS) return 0;
  if (is_current_vms(&actor) && actor.serial == owner.serial) return 0;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  struct ks_vmm_act* record = row ? begin_act(row, &owner, KS_ACT_DRIVEN) : 0;
  if (record) submit_act(record);
  return 0;
}

static __always_inline __u64 object_of(const __u64* ctx) {
  return (__u64)BPF_CORE_READ((struct file*)ctx[0], private_data);
}

/* long kvm_vcpu_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg). No kretprobe: a
 * vCPU that runs would hold one for as long. */
KS_FIRED(kvm_vcpu_ioctl_fexit);
SEC("fexit/kvm_vcpu_ioctl") int kvm_vcpu_ioctl_fexit(__u64* ctx) {
  KS_NOTE_FIRED(kvm_vcpu_ioctl_fexit);
  if ((int)ctx[3] == -KS_EIO)
    note_driver((__u64)BPF_CORE_READ((struct kvm_vcpu*)object_of(ctx), kvm));
  return 0;
}

/* long kvm_vm_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg) */
KS_FIRED(kvm_vm_ioctl_fexit);
SEC("fexit/kvm_vm_ioctl") int kvm_vm_ioctl_fexit(__u64* ctx) {
  KS_NOTE_FIRED(kvm_vm_ioctl_fexit);
  if ((int)ctx[3] == -KS_EIO) note_driver(object_of(ctx));
  return 0;
}
