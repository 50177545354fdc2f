/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Programs on classic tracepoints of KVM, and the records that they are handed. */
#pragma once

#include "bpf/common.bpf.h"

#define KS_LEAVE_TO_OTHERS 1 /* 0 takes the event from perf: perf_trace_run_bpf_submit() */

/*
 * The handler of KS_TRACEPOINT behind the classic tracepoint, whose record the kernel makes first:
 * dearer, but the only one during which the task cannot be preempted on every kernel. Since
 * Linux 7.0 others may be (include/linux/tracepoint.h), and while one is, no task on its CPU runs
 * the program: so guests that share a CPU go uncounted. What follows HANDLER are the arguments of
 * the tracepoint, taken from the record CTX, or 0 where the handler does not use them.
 */
#define KS_RECORD(tracepoint, handler, ...)                                                  \
  KS_FIRED(tracepoint##_tp);                                                                 \
  SEC("tp/kvm/" #tracepoint) int tracepoint##_tp(struct trace_event_raw_##tracepoint* ctx) { \
    KS_NOTE_FIRED(tracepoint##_tp);                                                          \
    (void)ctx;                                                                               \
    const __u64 arguments[] = {__VA_ARGS__};                                                 \
    handler(arguments);                                                                      \
    return KS_LEAVE_TO_OTHERS;                                                               \
  }

/* The fields that are read: arch/x86/kvm/trace.h, include/trace/events/kvm.h. */
struct trace_event_raw_kvm_exit {
  unsigned int exit_reason;
  unsigned long guest_rip;
  __u32 isa;
} KS_CORE;

struct trace_event_raw_kvm_pio {
  unsigned int rw;
  unsigned int port;
  unsigned int size;
  unsigned int count;
  unsigned int val;
} KS_CORE;

struct trace_event_raw_kvm_mmio {
  __u32 type;
  __u32 len;
  __u64 gpa;
} KS_CORE;

struct trace_event_raw_kvm_msr {
  unsigned int write;
  __u32 ecx;
  __u64 data;
  __u8 exception;
} KS_CORE;

struct trace_event_raw_kvm_userspace_exit {
  __u32 reason;
  int errno;
} KS_CORE;

struct trace_event_raw_kvm_inj_virq {
  unsigned int vector;
  _Bool reinjected;
} KS_CORE;

struct trace_event_raw_kvm_inj_exception {
  __u8 exception;
  _Bool reinjected;
} KS_CORE;

struct trace_event_raw_kvm_smm_transition {
  _Bool entering;
} KS_CORE;

struct trace_event_raw_kvm_hypercall {
  unsigned long nr;
} KS_CORE;

struct trace_event_raw_kvm_fast_mmio {
  __u64 gpa;
} KS_CORE;

struct trace_event_raw_kvm_cr {
  unsigned int cr;
} KS_CORE;

/* Of these nothing is read. */
struct trace_event_raw_kvm_entry;
struct trace_event_raw_kvm_vcpu_wakeup;
struct trace_event_raw_kvm_nested_vmenter;
struct trace_event_raw_kvm_nested_vmexit;
struct trace_event_raw_kvm_page_fault;
struct trace_event_raw_kvm_emulate_insn;
struct trace_event_raw_kvm_dirty_ring_push;
struct trace_event_raw_kvm_dirty_ring_exit;
