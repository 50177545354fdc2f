/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Whose is it? From what a hook sees to the vCPU's row.
 *
 * Most KVM tracepoints carry no vCPU. But all of them fire while a vCPU is loaded, and loading
 * hangs the vCPU's preempt notifier on the task (virt/kvm/kvm_main.c, vcpu_load: KVM is the only
 * user of preempt notifiers). So current->preempt_notifiers.first names the vCPU exactly, whatever
 * thread runs it, on every kernel: no system-call hook, no map from tasks, nothing to grow stale.
 *
 * A hot path then is: that load, a slot remembered per CPU, and the row, which says itself whether
 * it still belongs to the vCPU. If not, the hash table is asked, and if it does not know either,
 * the vCPU is registered. The remembered slot is only a hint, so it needs no invalidation and a
 * torn or stale one costs a look-up, never a wrong row.
 */
#pragma once

#include "bpf/kvm/register.bpf.h"

#define KS_MAX_CPUS 1024 /* more CPUs than this share hints, which is slower but right */

extern struct {
  __u32 slot;
  __u32 padding[15];       /* a cache line each */
} slot_hints[KS_MAX_CPUS]; /* in life.bpf.c */

static __noinline struct ks_vcpu_row* find_vcpu(__u64 vcpu, __u32 cpu) {
  __u32 slot = find_or_add_vcpu(vcpu, KS_ORIGIN_HOOK);
  if (slot == KS_NO_SLOT) return 0; /* counted by its own reason */
  struct ks_vcpu_row* row = vcpu_row(slot);
  if (row && row->vcpu == vcpu) {
    slot_hints[cpu & (KS_MAX_CPUS - 1)].slot = slot;
    return row;
  }
  KS_LOSE(unattributed);
  return 0;
}

/* The row of VCPU, NULL where it has none (counted as a loss). */
static __always_inline struct ks_vcpu_row* row_of(__u64 vcpu) {
  __u32 cpu = bpf_get_smp_processor_id();
  struct ks_vcpu_row* row = vcpu_row(slot_hints[cpu & (KS_MAX_CPUS - 1)].slot);
  if (row && row->vcpu == vcpu) return row;
  return find_vcpu(vcpu, cpu);
}

/* The same of a tracepoint's argument. It is never NULL, which the verifier of new kernels believes
 * of no argument of a module's tracepoint. */
static __always_inline struct ks_vcpu_row* row_of_argument(__u64 vcpu) {
  return vcpu ? row_of(vcpu) : 0;
}

/* The vCPU that is loaded on the current task, 0 outside of vCPU context. */
static __always_inline __u64 loaded_vcpu(void) {
  struct task_struct* task = bpf_get_current_task_btf();
  __u64 link = (__u64)task->preempt_notifiers.first;
  return link ? link - bpf_core_field_offset(struct kvm_vcpu, preempt_notifier.link) : 0;
}

/* The row of the vCPU that is loaded on the current task. */
static __always_inline struct ks_vcpu_row* loaded_row(void) {
  __u64 vcpu = loaded_vcpu();
  if (vcpu) return row_of(vcpu);
  KS_LOSE(unattributed);
  return 0;
}
