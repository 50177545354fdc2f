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
  SEC("fentry/" #function) int function##_fentry(__u64* ctx) {           \
    handler(ctx, true);                                                  \
    return 0;                                                            \
  }                                                                      \
  SEC("kprobe/" #function) int function##_kprobe(struct pt_regs* regs) { \
    __u64 arguments[] = {regs->di, regs->si, regs->dx, regs->cx};        \
    handler(arguments, false);                                           \
    return 0;                                                            \
  }

/* The first argument of calls that are under way, by task: a kretprobe sees only the result. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64);
  __type(value, __u64);
} calls SEC(".maps");

static __always_inline void keep_call(__u64 object) {
  __u64 task = bpf_get_current_task();
  if (bpf_map_update_elem(&calls, &task, &object, BPF_ANY)) KS_LOSE(table_update);
}

/* 0 for a call that began before the programs were attached. */
static __always_inline __u64 take_call(void) {
  __u64 task = bpf_get_current_task();
  __u64* found = bpf_map_lookup_elem(&calls, &task);
  if (!found) return 0;
  __u64 object = *found;
  bpf_map_delete_elem(&calls, &task);
  return object;
}

/* handler(__u64 first_argument, __s64 result, bool typed), at the end of a function of COUNT
 * arguments. One a file: the calls under way are the object's own. */
#define KS_FUNCTION_EXIT(function, count, handler)                                \
  SEC("fexit/" #function) int function##_fexit(__u64* ctx) {                      \
    handler(ctx[0], ctx[count], true);                                            \
    return 0;                                                                     \
  }                                                                               \
  SEC("kprobe/" #function) int function##_kretprobe_entry(struct pt_regs* regs) { \
    keep_call(regs->di);                                                          \
    return 0;                                                                     \
  }                                                                               \
  SEC("kretprobe/" #function) int function##_kretprobe(struct pt_regs* regs) {    \
    __u64 object = take_call();                                                   \
    if (object) handler(object, regs->ax, false);                                 \
    return 0;                                                                     \
  }
