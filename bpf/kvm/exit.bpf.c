/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The boundary itself: why the guest was left, and for how long.
 *
 * The tracepoint of an exit carries the vCPU, and not why it left: that lies in the vendor's own
 * struct around it. Where the kernel tells neither vendor's types, the classic tracepoint's record
 * says it; making that record is dearer.
 */
#include "bpf/kvm/exit_state.bpf.h"
#include "bpf/kvm/loaded_meter.bpf.h"
#include "bpf/kvm/protection.bpf.h"
#include "bpf/kvm/record.bpf.h"

KS_LICENSE;

/* From here to the next entry the time is taken. */
static __noinline int begin_sample(struct ks_vcpu_row* vcpu, struct ks_exit_row* exits,
                                   __u32 reason, __u64 rip) {
  if (!vcpu || !exits) return 0;
  struct ks_exit_state state = {.rip = rip, .known = rip ? KS_KNOWN_RIP : 0};
  read_exit_state(vcpu->vcpu, reason >> 16, &state);
  exits->reason = reason;
  exits->known = 0;
  keep_state(exits, &state);
  watch_protection(vcpu, exits);
  exits->exit_ns = bpf_ktime_get_ns();
  vcpu->timing = 1;
  return 0;
}

static __noinline int end_sample(struct ks_vcpu_row* vcpu) {
  if (!vcpu) return 0;
  vcpu->timing = 0;
  struct ks_exit_row* exits = exits_of(vcpu);
  if (!exits) return 0;
  __u64 took = bpf_ktime_get_ns() - exits->exit_ns;
  __u32 bucket = took ? log2_of(took) : 0;
  if (bucket >= KS_EXIT_TIMES) bucket = KS_EXIT_TIMES - 1;
  exits->times[bucket]++;
  if (exits->isa != KS_ISA_VMX) return 0;
  /* Handling the exit has read what it needed. */
  struct ks_exit_state state = {};
  read_exit_state(vcpu->vcpu, KS_ISA_VMX, &state);
  keep_state(exits, &state);
  return 0;
}

/* RIP is 0 where it is not at hand. */
static __always_inline void count_exit(struct ks_vcpu_row* vcpu, __u32 isa, __u32 code, __u64 rip) {
  __u32 index = exit_index(isa, code);
  __u32 reason = exit_member(isa, index);
  struct ks_exit_row* exits = exits_of(vcpu);
  if (exits) {
    barrier_var(index); /* else the compiler drops the mask that the verifier needs */
    index &= KS_EXIT_REASONS - 1;
    exits->reasons[index]++;
    set_first(&exits->seen[index / 64], index);
    exits->isa = isa;
    if (vcpu->meters[KS_METER_EXIT].count % KS_EXIT_SAMPLE == 0)
      begin_sample(vcpu, exits, reason, rip);
  }
  meter_add(vcpu, KS_METER_EXIT, 1, reason);
}

/* TP_PROTO(struct kvm_vcpu *vcpu, u32 isa), arch/x86/kvm/trace.h. */
static __always_inline void on_exit(const __u64* ctx) {
  __u64 kvm_vcpu = ctx[0];
  if (!kvm_vcpu) return; /* as in row_of_argument() */
  struct ks_vcpu_row* vcpu = row_of(kvm_vcpu);
  __u32 isa = (__u32)ctx[1];
  if (vcpu) count_exit(vcpu, isa, exit_code(kvm_vcpu, isa), 0);
}
KS_TRACEPOINT(kvm_exit, on_exit)

KS_FIRED(kvm_exit_tp);
SEC("tp/kvm/kvm_exit") int kvm_exit_tp(struct trace_event_raw_kvm_exit* ctx) {
  KS_NOTE_FIRED(kvm_exit_tp);
  struct ks_vcpu_row* vcpu = loaded_row();
  if (vcpu) count_exit(vcpu, ctx->isa, ctx->exit_reason, ctx->guest_rip);
  return KS_LEAVE_TO_OTHERS;
}

/* TP_PROTO(struct kvm_vcpu *vcpu, ...): later kernels add arguments. */
static __always_inline void count_entry(struct ks_vcpu_row* vcpu) {
  if (!vcpu) return;
  if (vcpu->timing) end_sample(vcpu);
  meter_add(vcpu, KS_METER_ENTRY, 1, 0);
}

static __always_inline void on_entry(const __u64* ctx) {
  count_entry(row_of_argument(ctx[0]));
}
KS_TRACEPOINT(kvm_entry, on_entry)

/* The record does not have the vCPU, which is loaded. */
static __always_inline void on_entry_record(const __u64* ctx) {
  (void)ctx;
  count_entry(loaded_row());
}
KS_RECORD(kvm_entry, on_entry_record, 0)

/* TP_PROTO(__u64 ns, bool waited, bool valid), include/trace/events/kvm.h. */
static __always_inline void on_wakeup(const __u64* ctx) {
  (void)ctx;
  count_loaded(KS_METER_HALT, 0);
}
KS_TRACEPOINT(kvm_vcpu_wakeup, on_wakeup)
KS_RECORD(kvm_vcpu_wakeup, on_wakeup, 0)

/* TP_PROTO(__u64 rip, __u64 vmcb, ...): the guest enters a guest of its own. */
static __always_inline void on_nested_entry(const __u64* ctx) {
  (void)ctx;
  count_loaded(KS_METER_NESTED_ENTRY, 0);
}
KS_TRACEPOINT(kvm_nested_vmenter, on_nested_entry)
KS_RECORD(kvm_nested_vmenter, on_nested_entry, 0)
