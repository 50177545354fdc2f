/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Hooks on a kernel function: one handler, its variants in order of cost. TYPED says to it whether
 * the verifier knows the types of the arguments, so that their fields are plain loads.
 */
#pragma once

#include "bpf/maps.bpf.h"

/* handler(const __u64* arguments, bool typed), at the function's beginning; it may use the first
 * four arguments. */
#define KS_FUNCTION_ENTRY(function, handler)                             \
  KS_FIRED(function##_fentry);                                           \
  KS_FIRED(function##_kprobe);                                           \
  SEC("fentry/" #function) int function##_fentry(__u64* ctx) {           \
    KS_NOTE_FIRED(function##_fentry);                                    \
    handler(ctx, true);                                                  \
    return 0;                                                            \
  }                                                                      \
  SEC("kprobe/" #function) int function##_kprobe(struct pt_regs* regs) { \
    KS_NOTE_FIRED(function##_kprobe);                                    \
    __u64 arguments[] = {regs->di, regs->si, regs->dx, regs->cx};        \
    handler(arguments, false);                                           \
    return 0;                                                            \
  }

/* The first two arguments of calls that are under way, by task: a kretprobe sees only the result.
 */
struct ks_call {
  __u64 arguments[2];
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64);
  __type(value, struct ks_call);
} calls __weak SEC(".maps");

static __always_inline void keep_call(const struct pt_regs* regs) {
  __u64 task = bpf_get_current_task();
  struct ks_call call = {.arguments = {regs->di, regs->si}};
  if (!bpf_map_update_elem(&calls, &task, &call, BPF_NOEXIST)) return;
  /* None of these functions calls itself: the task's last call has returned, and the kernel had no
   * instance of the kretprobe left for it (struct kretprobe, nmissed). */
  if (bpf_map_lookup_elem(&calls, &task)) KS_LOSE(missed_return);
  if (bpf_map_update_elem(&calls, &task, &call, BPF_ANY)) KS_LOSE(missed_return);
}

/* False for a call that began before the programs were attached. */
static __always_inline bool take_call(struct ks_call* call) {
  __u64 task = bpf_get_current_task();
  struct ks_call* found = bpf_map_lookup_elem(&calls, &task);
  if (!found) return false;
  *call = *found;
  bpf_map_delete_elem(&calls, &task);
  return true;
}

/* handler(const __u64* arguments, __s64 result, bool typed), at the end of a function of COUNT
 * arguments; it may use the first two. No hooked function of a source calls another one: calls are
 * kept by task alone. */
#define KS_FUNCTION_EXIT(function, count, handler)                                \
  KS_FIRED(function##_fexit);                                                     \
  KS_FIRED(function##_kretprobe);                                                 \
  SEC("fexit/" #function) int function##_fexit(__u64* ctx) {                      \
    KS_NOTE_FIRED(function##_fexit);                                              \
    handler(ctx, ctx[count], true);                                               \
    return 0;                                                                     \
  }                                                                               \
  SEC("kprobe/" #function) int function##_kretprobe_entry(struct pt_regs* regs) { \
    keep_call(regs);                                                              \
    return 0;                                                                     \
  }                                                                               \
  SEC("kretprobe/" #function) int function##_kretprobe(struct pt_regs* regs) {    \
    KS_NOTE_FIRED(function##_kretprobe);                                          \
    struct ks_call call;                                                          \
    if (take_call(&call)) handler(call.arguments, regs->ax, false);               \
    return 0;                                                                     \
  }
