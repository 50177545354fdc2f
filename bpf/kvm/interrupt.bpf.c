/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Interrupts that are raised for a VM, by KVM's functions: their tracepoints name no VM, and come
 * from the VMM's threads, from workers, and from another VM's vCPU by way of an eventfd. The
 * functions around them are given the VM. Where these cannot be probed, the tracepoints still tell
 * what the VMM raises by an ioctl on its VM; whose the others are is not known, so they are
 * nobody's.
 */
#include "bpf/kvm/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/kvm/kvm_file.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/kvm/vm_meter.bpf.h"

KS_LICENSE;

#define KVM_IRQ_ROUTING_MSI 2
#define KVM_IRQ_LINE 0x4008ae61 /* include/uapi/linux/kvm.h */
#define KVM_IRQ_LINE_STATUS 0xc008ae67
#define KVM_SIGNAL_MSI 0x4020aea5

static __always_inline void on_interrupt(__u64 kvm, enum ks_kvm_meter meter) {
  __u32 slot = 0;
  struct ks_vm_row* vm = known_vm(kvm, &slot);
  if (vm) count_for(vm, slot, meter);
}

/* int kvm_set_irq(struct kvm *kvm, ...), virt/kvm/irqchip.c */
static __always_inline void on_line(const __u64* arguments, bool typed) {
  (void)typed;
  on_interrupt(arguments[0], KS_METER_IRQ_LINE);
}
KS_FUNCTION_ENTRY(kvm_set_irq, on_line)

/* int kvm_set_msi(struct kvm_kernel_irq_routing_entry *e, struct kvm *kvm, int irq_source_id, int
 * level, ...), arch/x86/kvm/irq_comm.c: an MSI on its way by an ioctl or a worker. It is sent when
 * the level rises. */
static __always_inline void on_message(const __u64* arguments, bool typed) {
  (void)typed;
  if ((int)arguments[3]) on_interrupt(arguments[1], KS_METER_IRQ_MSI);
}
KS_FUNCTION_ENTRY(kvm_set_msi, on_message)

/* int kvm_arch_set_irq_inatomic(...), with the same arguments: an interrupt from an eventfd, at
 * once. What cannot be delivered so, a broadcast, goes through kvm_set_msi as well, and counts
 * twice. */
static __always_inline void on_message_at_once(const __u64* arguments, bool typed) {
  (void)typed;
  const struct kvm_kernel_irq_routing_entry* entry = (void*)arguments[0];
  if (BPF_CORE_READ(entry, type) == KVM_IRQ_ROUTING_MSI) on_message(arguments, typed);
}
KS_FUNCTION_ENTRY(kvm_arch_set_irq_inatomic, on_message_at_once)

static __noinline int count_ioctl_of(enum ks_kvm_meter meter) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct ks_ioctl call = {0, 0};
  /* A kernel thread has entered the kernel by no system call. */
  if (task->mm) call = ioctl_of(((struct pt_regs*)bpf_task_pt_regs(task))->orig_ax);
  struct file* file = 0;
  if (call.command == KVM_IRQ_LINE || call.command == KVM_IRQ_LINE_STATUS ||
      call.command == KVM_SIGNAL_MSI)
    file = file_at(call.fd);
  if (file && kvm_file_kind(file) == KS_FILE_VM) {
    on_interrupt((__u64)BPF_CORE_READ(file, private_data), meter);
  } else {
    KS_LOSE(irq_unattributed);
  }
  return 0;
}

/* TP_PROTO(unsigned int gsi, int level, int irq_source_id), include/trace/events/kvm.h */
static __always_inline void on_line_raised(const __u64* ctx) {
  (void)ctx;
  count_ioctl_of(KS_METER_IRQ_LINE);
}
KS_TRACEPOINT(kvm_set_irq, on_line_raised)

/* TP_PROTO(u64 address, u64 data), the same. The hook has the function's name. */
KS_FIRED(kvm_set_msi_raw_tp);
SEC("raw_tp/kvm_msi_set_irq") int kvm_set_msi_raw_tp(__u64* ctx) {
  KS_NOTE_FIRED(kvm_set_msi_raw_tp);
  (void)ctx;
  count_ioctl_of(KS_METER_IRQ_MSI);
  return 0;
}
