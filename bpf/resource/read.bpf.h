/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Reading tasks. */
#pragma once

#include "bpf/resource/maps.bpf.h"
/* after the first: */
#include "bpf/resource/kernel_types.h"

/* SOURCE is a mere variable: else its own accesses would be sought in the kernel's types. */
#define READ(source, ...) BPF_CORE_READ(source, __VA_ARGS__)

#define task_t struct task_struct___resource

static __always_inline __u64 css_of(const task_t* task, __u32 controller) {
  struct css_set* set = READ(task, cgroups);
  __u64 css = 0;
  if (controller >= CGROUP_SUBSYS_COUNT) return 0;
  bpf_core_read(&css, sizeof(css), &set->subsys[controller]);
  return css;
}

/* 0 of the root. */
static __always_inline __u64 parent_of(__u64 css) {
  const struct cgroup_subsys_state* state = (void*)css;
  return (__u64)READ(state, parent);
}
