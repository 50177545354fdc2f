/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Dirty rings, by which a VMM learns which pages its guest has written: for a migration, mostly.
 * virt/kvm/dirty_ring.c, include/trace/events/kvm.h.
 */
#include "bpf/kvm/loaded_meter.bpf.h"
#include "bpf/kvm/record.bpf.h"

KS_LICENSE;

/* TP_PROTO(struct kvm_dirty_ring *ring, u32 slot, u64 offset): the ring is the running vCPU's. */
static __always_inline void on_push(const __u64* ctx) {
  (void)ctx;
  count_loaded(KS_METER_DIRTY_PAGE, 0);
}
KS_TRACEPOINT(kvm_dirty_ring_push, on_push)
KS_RECORD(kvm_dirty_ring_push, on_push, 0)

/* TP_PROTO(struct kvm_vcpu *vcpu): the guest has to wait until the VMM has read the ring. */
static __always_inline void on_full(const __u64* ctx) {
  struct ks_vcpu_row* vcpu = row_of_argument(ctx[0]);
  if (vcpu) meter_add(vcpu, KS_METER_DIRTY_FULL, 1, 0);
}
KS_TRACEPOINT(kvm_dirty_ring_exit, on_full)

/* The vCPU is loaded: it was about to run (vcpu_enter_guest(), arch/x86/kvm/x86.c). */
static __always_inline void on_full_record(const __u64* ctx) {
  (void)ctx;
  count_loaded(KS_METER_DIRTY_FULL, 0);
}
KS_RECORD(kvm_dirty_ring_exit, on_full_record, 0)

/* TP_PROTO(struct kvm_dirty_ring *ring): in KVM_RESET_DIRTY_RINGS of any thread. But the ring lies
 * in its vCPU, and the VM's slots_lock keeps other resets away, so the meter has one writer. */
static __always_inline void on_reset(const __u64* ctx) {
  __u64 ring = ctx[0];
  if (!ring) return; /* as in row_of_argument() */
  struct ks_vcpu_row* vcpu = row_of(ring - bpf_core_field_offset(struct kvm_vcpu, dirty_ring));
  if (vcpu) meter_add(vcpu, KS_METER_DIRTY_RESET, 1, 0);
}
KS_TRACEPOINT(kvm_dirty_ring_reset, on_reset)
