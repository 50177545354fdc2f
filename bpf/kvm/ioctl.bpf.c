/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ioctls on VMs, vCPUs and devices that KVM serves itself: what a VMM, or whoever holds its files,
 * does to the machine itself. By KVM's functions, which are handed the file; where these cannot be
 * probed, at the beginning of every system call of the host, and then the file is looked for behind
 * the descriptor: a thread that puts another file there meanwhile goes uncounted, or is counted for
 * another VM that it holds.
 *
 * Counted is what was asked for, refused or not, once the VM has a vCPU: before, it is only being
 * made. KVM_RUN is not: its returns are (userspace.bpf.c).
 */
#include "bpf/kvm/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/kvm/kvm_file.bpf.h"
#include "bpf/kvm/register_vm.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/kvm/vm_meter.bpf.h"

KS_LICENSE;

#define KVMIO 0xae /* include/uapi/linux/kvm.h, as all that follows */
#define KVM_RUN 0xae80
#define KVM_GET_DIRTY_LOG 0x4010ae42
#define KVM_CLEAR_DIRTY_LOG 0xc018aec0
#define KVM_SET_SIGNAL_MASK 0x4004ae8b
#define KVM_X86_SET_MSR_FILTER_COMPAT 0x4104aec6 /* arch/x86/kvm/x86.c */

static __noinline int count_ioctl(__u64 kvm, __u32 kind, __u32 command) {
  if (!BPF_CORE_READ((struct kvm*)kvm, online_vcpus.counter)) return 0;
  __u32 slot = find_or_add_vm(kvm);
  if (slot == KS_NO_SLOT) return 0; /* counted by its own reason */
  struct ks_vm_row* vm = known_vm(kvm, &slot);
  if (!vm) return 0;
  count_for(vm, slot, KS_METER_IOCTL);
  note_ioctl(slot, kind, command);
  return 0;
}

static __always_inline void on_file(struct file* file, __u32 kind, __u32 command) {
  __u64 object = (__u64)BPF_CORE_READ(file, private_data);
  if (kind == KS_IOCTL_VCPU) object = (__u64)BPF_CORE_READ((struct kvm_vcpu*)object, kvm);
  if (kind == KS_IOCTL_DEVICE) object = (__u64)BPF_CORE_READ((struct kvm_device*)object, kvm);
  count_ioctl(object, kind, command);
}

/* long kvm_vm_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg),
 * virt/kvm/kvm_main.c */
static __always_inline void on_vm(const __u64* arguments, bool typed) {
  (void)typed;
  __u32 command = arguments[1];
  if (KS_IOC_TYPE(command) == KVMIO) on_file((struct file*)arguments[0], KS_IOCTL_VM, command);
}
KS_FUNCTION_ENTRY(kvm_vm_ioctl, on_vm)

/* long kvm_vcpu_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg) */
static __always_inline void on_vcpu(const __u64* arguments, bool typed) {
  (void)typed;
  __u32 command = arguments[1];
  if (command == KVM_RUN || KS_IOC_TYPE(command) != KVMIO) return;
  on_file((struct file*)arguments[0], KS_IOCTL_VCPU, command);
}
KS_FUNCTION_ENTRY(kvm_vcpu_ioctl, on_vcpu)

/* long kvm_device_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg): by both entries
 */
static __always_inline void on_device(const __u64* arguments, bool typed) {
  (void)typed;
  __u32 command = arguments[1];
  if (KS_IOC_TYPE(command) == KVMIO) on_file((struct file*)arguments[0], KS_IOCTL_DEVICE, command);
}
KS_FUNCTION_ENTRY(kvm_device_ioctl, on_device)

/* long kvm_vm_compat_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg): of 32-bit
 * programs. What it does not serve itself it hands to kvm_vm_ioctl. */
static __always_inline void on_vm_compat(const __u64* arguments, bool typed) {
  __u32 command = arguments[1];
  if (command == KVM_GET_DIRTY_LOG || command == KVM_CLEAR_DIRTY_LOG ||
      command == KVM_X86_SET_MSR_FILTER_COMPAT)
    on_vm(arguments, typed);
}
KS_FUNCTION_ENTRY(kvm_vm_compat_ioctl, on_vm_compat)

/* long kvm_vcpu_compat_ioctl(struct file *filp, unsigned int ioctl, unsigned long arg) */
static __always_inline void on_vcpu_compat(const __u64* arguments, bool typed) {
  if ((__u32)arguments[1] == KVM_SET_SIGNAL_MASK) on_vcpu(arguments, typed);
}
KS_FUNCTION_ENTRY(kvm_vcpu_compat_ioctl, on_vcpu_compat)

/* TP_PROTO(struct pt_regs *regs, long id), include/trace/events/syscalls.h: after ptrace and
 * seccomp, which may change both. */
KS_FIRED(kvm_vm_ioctl_sys_enter);
SEC("raw_tp/sys_enter") int kvm_vm_ioctl_sys_enter(__u64* ctx) {
  struct ks_ioctl call = ioctl_of(ctx[1]);
  if (call.command == KVM_RUN || KS_IOC_TYPE(call.command) != KVMIO) return 0;
  KS_NOTE_FIRED(kvm_vm_ioctl_sys_enter);
  struct file* file = file_at(call.fd);
  if (!file) return 0;
  __u32 kind = kvm_file_kind(file);
  if (kind) on_file(file, kind == KS_FILE_VCPU ? KS_IOCTL_VCPU : KS_IOCTL_VM, call.command);
  if (!kind && is_kvm_device(file)) on_file(file, KS_IOCTL_DEVICE, call.command);
  return 0;
}
