/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Returns of KVM_RUN to the VMM.
 *
 * kvm_userspace_exit carries no vCPU and fires when the vCPU is unloaded already. But all of
 * KVM_RUN holds the vCPU's mutex (virt/kvm/kvm_main.c, kvm_vcpu_ioctl), and a task inside it holds
 * no other vCPU's: the vCPU is the one whose mutex the current task owns. The slot remembered per
 * CPU says where to look first. If that fails, the descriptor in the system call's saved registers
 * leads to the vCPU, and its mutex must agree, for another thread may have changed the descriptor
 * meanwhile.
 */
#include "bpf/kvm/kvm_file.bpf.h"
#include "bpf/kvm/meter.bpf.h"
#include "bpf/kvm/record.bpf.h"
#include "bpf/kvm/sets.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/kvm/whose.bpf.h"

KS_LICENSE;

#define EINTR 4
#define EAGAIN 11

/* Gives an address a type, so that its fields are plain loads (Linux 6.2). Reading them otherwise
 * costs a call that is dearer than all the rest of the program. Only the cast variant uses it. */
extern void* bpf_rdonly_cast(const void* object, __u32 btf_id) __ksym __weak;

#define MUTEX_FLAGS 7UL /* the owner's low bits, kernel/locking/mutex.h */

/* Whether the current task is inside an ioctl of VCPU, as far as the kernel's mutex can tell: with
 * PREEMPT_RT it has no such field, and the descriptor decides alone. */
static __always_inline bool in_ioctl_of(__u64 vcpu, bool cast, bool otherwise) {
  struct kvm_vcpu* object = (struct kvm_vcpu*)vcpu;
  if (!bpf_core_field_exists(object->mutex.owner)) return otherwise;
  __u64 owner = 0;
  if (cast) {
    object = bpf_rdonly_cast(object, bpf_core_type_id_kernel(struct kvm_vcpu));
    owner = object->mutex.owner.counter;
  } else {
    bpf_core_read(&owner, sizeof(owner), &object->mutex.owner.counter);
  }
  return (owner & ~MUTEX_FLAGS) == bpf_get_current_task();
}

static __noinline struct ks_vcpu_row* find_runner(__u32 cpu) {
  struct file* file = file_at(current_ioctl().fd);
  if (file && kvm_file_kind(file) == KS_FILE_VCPU) {
    __u64 vcpu = (__u64)BPF_CORE_READ(file, private_data);
    if (in_ioctl_of(vcpu, false, true)) return find_vcpu(vcpu, cpu);
  }
  KS_LOSE(unattributed);
  return 0;
}

/* The vCPU ran with registers that its VMM has changed (rewrite.bpf.c). */
static __noinline int note_rewritten(struct ks_vcpu_row* vcpu) {
  struct ks_kvm_sets* sets = vcpu ? sets_of(vcpu) : 0;
  if (!sets) return 0;
  __sync_fetch_and_or(&sets->rewritten, vcpu->rewritten);
  __sync_fetch_and_or(&sets->changed, KS_CHANGED_FEW);
  vcpu->rewritten = 0;
  return 0;
}

/* TP_PROTO(__u32 reason, int errno), include/trace/events/kvm.h. */
static __always_inline void count_userspace_exit(const __u64* ctx, bool cast) {
  __u32 cpu = bpf_get_smp_processor_id();
  struct ks_vcpu_row* vcpu = vcpu_row(slot_hints[cpu & (KS_MAX_CPUS - 1)].slot);
  if (!vcpu || !vcpu->vcpu || !in_ioctl_of(vcpu->vcpu, cast, false)) vcpu = find_runner(cpu);
  if (!vcpu) return;
  __u32 reason = (__u32)ctx[0];
  int error = -(int)ctx[1];
  if (error <= 0 && reason < 64) set_first(&vcpu->exit_reasons_seen, reason);
  if (vcpu->rewritten) note_rewritten(vcpu);
  meter_add(vcpu, KS_METER_USERSPACE_EXIT, 1, reason);
  if (error > 0 && error != EINTR && error != EAGAIN)
    meter_add(vcpu, KS_METER_USERSPACE_ERROR, 1, reason);
}

static __always_inline void on_userspace_exit(const __u64* ctx) {
  count_userspace_exit(ctx, false);
}
KS_TRACEPOINT(kvm_userspace_exit, on_userspace_exit)
KS_RECORD(kvm_userspace_exit, on_userspace_exit, ctx->reason, (__u32)ctx->errno)

KS_FIRED(kvm_userspace_exit_tp_btf_cast);
SEC("tp_btf/kvm_userspace_exit") int kvm_userspace_exit_tp_btf_cast(__u64* ctx) {
  KS_NOTE_FIRED(kvm_userspace_exit_tp_btf_cast);
  count_userspace_exit(ctx, true);
  return 0;
}
