/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Interrupts that are raised for a VM, by KVM's functions: their tracepoints name no VM, and come
 * from the VMM's threads, from workers, and from another VM's vCPU by way of an eventfd. The
 * functions around them are given the VM.
 */
#include "bpf/function.bpf.h"

KS_LICENSE;

/* Any number of CPUs count at once, so no vCPU's row is theirs to write: it is added to what the VM
 * has from rows that are gone. User space writes that only when no vCPU is left. A VM without vCPUs
 * has no row yet, and nobody to interrupt. */
static __always_inline void count_for(__u64 kvm, enum ks_meter meter) {
  __u32* slot = bpf_map_lookup_elem(&vm_slots, &kvm);
  struct ks_vm_row* vm = slot ? vm_row(*slot) : 0;
  if (vm && vm->kvm == kvm) __sync_fetch_and_add(&vm->retired[meter], 1);
}

/* int kvm_set_irq(struct kvm *kvm, ...), virt/kvm/irqchip.c */
static __always_inline void on_line(const __u64* arguments, bool typed) {
  (void)typed;
  count_for(arguments[0], KS_METER_IRQ_LINE);
}
KS_FUNCTION_ENTRY(kvm_set_irq, on_line)

/* void kvm_set_msi_irq(struct kvm *kvm, ...), arch/x86/kvm/irq_comm.c: each way that an MSI takes
 * leads through it. So does a look at where an MSI would go, which KVM takes when a route changes.
 */
static __always_inline void on_message(const __u64* arguments, bool typed) {
  (void)typed;
  count_for(arguments[0], KS_METER_IRQ_MSI);
}
KS_FUNCTION_ENTRY(kvm_set_msi_irq, on_message)
