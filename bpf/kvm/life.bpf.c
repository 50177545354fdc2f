/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Birth. Creating a vCPU synchronises its TSC (kvm_arch_vcpu_postcreate, arch/x86/kvm/x86.c) and
 * fires kvm_track_tsc with the vCPU loaded, once it is in its VM's table and before it can run.
 * Writes to the TSC fire it too, by the guest or by the VMM: a birth is the one inside
 * KVM_CREATE_VCPU.
 *
 * The slab hands the address of a vCPU or a VM that is gone to the next one at once. Seen here, in
 * the kernel, at the moment of creation, an address never leads to a dead one's row, not even if
 * there is no slot left for the new one.
 */
#include "bpf/syscall.bpf.h"
#include "bpf/kvm/whose.bpf.h"

KS_LICENSE;

#define KVM_CREATE_VCPU 0xae41 /* include/uapi/linux/kvm.h */

typeof(slot_hints) slot_hints SEC(".bss");

#define WALK_RACE_NS 1000000000ULL

/* The walk over open files may meet a vCPU between the making of its file and its birth here, for
 * the file comes first. Such a row is this vCPU's own: new, made by the walk, and it never ran. */
static __always_inline bool walked_before_birth(const struct ks_vcpu_row* row, __u64 vcpu,
                                                __u64 kvm) {
  if (row->vcpu != vcpu || row->origin != KS_ORIGIN_WALK || is_of_another_vm(row, kvm))
    return false;
  __u64 ran = 0;
  for (int meter = 0; meter < KS_METERS_OF_VCPU; meter++) ran |= row->meters[meter].count;
  return !ran && bpf_ktime_get_ns() - row->first_ns < WALK_RACE_NS;
}

/* Whether the vCPU that is being born is its VM's first. Several may be created at once, and come
 * here in any order, whatever their indexes. But the TSC of the first matches none: it begins the
 * first generation, and each after it is one more that matches, or begins another. All that, and
 * this hook, is done under the VM's tsc_write_lock (__kvm_synchronize_tsc, arch/x86/kvm/x86.c). */
static __always_inline bool is_first_of_vm(__u64 kvm) {
  struct kvm* vm = (struct kvm*)kvm;
  return BPF_CORE_READ(vm, arch.cur_tsc_generation) == 1 &&
         BPF_CORE_READ(vm, arch.nr_vcpus_matched_tsc) == 0;
}

/* The slot of the VM whose vCPU is being born. If it is the FIRST, and the row of this address has
 * vCPUs already, they are of another VM, which is gone. */
static __always_inline __u32 vm_at_birth(__u64 kvm, bool first) {
  __u64 entry = find_entry(&vm_slots, kvm);
  struct ks_vm_row* vm = entry ? vm_row(slot_of_entry(entry)) : 0;
  if (is_stale_vm(vm, kvm)) return add_vm(kvm, first, entry);
  if (!first) return slot_of_entry(entry);
  if (vm->vcpus == 0) {
    vm->creator_pid = BPF_CORE_READ((struct kvm*)kvm, userspace_pid);
    vm->born_seen = 1;
    return slot_of_entry(entry);
  }
  __sync_val_compare_and_swap(&vm->state, KS_VM_ALIVE, KS_VM_REPLACED);
  return add_vm(kvm, 1, entry);
}

static __always_inline void on_track_tsc(const __u64* ctx) {
  (void)ctx;
  struct kvm_vcpu* vcpu = (struct kvm_vcpu*)loaded_vcpu();
  if (!vcpu || current_ioctl().command != KVM_CREATE_VCPU) return;
  __u64 address = (__u64)vcpu;
  __u64 kvm = (__u64)BPF_CORE_READ(vcpu, kvm);
  bool first = is_first_of_vm(kvm);
  __u64 entry = find_entry(&vcpu_slots, address);
  struct ks_vcpu_row* old = entry ? vcpu_row(slot_of_entry(entry)) : 0;
  if (old && walked_before_birth(old, address, kvm)) {
    struct ks_vm_row* walked = vm_row(old->vm_slot);
    if (walked && first) walked->born_seen = 1;
    old->origin = KS_ORIGIN_BORN;
    return;
  }
  __u32 vm_slot = vm_at_birth(kvm, first);
  if (old) retire_vcpu(old, address);
  add_vcpu(address, vm_slot, KS_ORIGIN_BORN, entry);
}
KS_TRACEPOINT(kvm_track_tsc, on_track_tsc)
