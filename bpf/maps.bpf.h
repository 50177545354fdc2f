/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The maps, shared by all objects through their pins. Sizes marked 1 are set by user space before
 * loading, from the configured maximum of VMs, vCPUs and virtqueues.
 */
#pragma once

#include "bpf/entry.bpf.h"

#define KS_ARRAY_MAP(map_name, value_type, flags) \
  struct {                                        \
    __uint(type, BPF_MAP_TYPE_ARRAY);             \
    __uint(map_flags, flags);                     \
    __uint(max_entries, 1);                       \
    __uint(pinning, LIBBPF_PIN_BY_NAME);          \
    __type(key, __u32);                           \
    __type(value, value_type);                    \
  } map_name SEC(".maps")

KS_ARRAY_MAP(state, struct ks_state, BPF_F_MMAPABLE);
KS_ARRAY_MAP(losses, struct ks_losses, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vms, struct ks_vm_row, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vcpus, struct ks_vcpu_row, BPF_F_MMAPABLE);
KS_ARRAY_MAP(exits, struct ks_exit_row, BPF_F_MMAPABLE); /* by vCPU */
KS_ARRAY_MAP(queues, struct ks_queue_row, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vm_limits, struct ks_vm_limits, BPF_F_MMAPABLE);
KS_ARRAY_MAP(vm_sets, struct ks_vm_sets, BPF_F_MMAPABLE);

/* Address of struct kvm, struct kvm_vcpu or struct vhost_virtqueue to an entry (entry.bpf.h). */
#define KS_SLOT_MAP(map_name)            \
  struct {                               \
    __uint(type, BPF_MAP_TYPE_HASH);     \
    __uint(max_entries, 1);              \
    __uint(pinning, LIBBPF_PIN_BY_NAME); \
    __type(key, __u64);                  \
    __type(value, __u64);                \
  } map_name SEC(".maps")

KS_SLOT_MAP(vm_slots);
KS_SLOT_MAP(vcpu_slots);
KS_SLOT_MAP(queue_slots);

/* Slots that are free. First in, first out: a slot rests as long as it can before it is reused. */
#define KS_FREE_MAP(map_name)            \
  struct {                               \
    __uint(type, BPF_MAP_TYPE_QUEUE);    \
    __uint(max_entries, 1);              \
    __uint(pinning, LIBBPF_PIN_BY_NAME); \
    __type(value, __u32);                \
  } map_name SEC(".maps")

KS_FREE_MAP(free_vm_slots);
KS_FREE_MAP(free_vcpu_slots);
KS_FREE_MAP(free_queue_slots);

/* Queues without a VM, so that these are not searched for at each occurrence: once a VM is born, it
 * is worth while again. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, __u64);
  __type(value, struct ks_stray_queue);
} stray_queues SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} ring SEC(".maps");

#define KS_LOSE(reason)                                                       \
  do {                                                                        \
    __u32 losses_key = 0;                                                     \
    struct ks_losses* losses_row = bpf_map_lookup_elem(&losses, &losses_key); \
    if (losses_row) __sync_fetch_and_add(&losses_row->reason, 1);             \
  } while (0)

static __always_inline struct ks_vm_row* vm_row(__u32 slot) {
  return bpf_map_lookup_elem(&vms, &slot);
}

static __always_inline struct ks_vcpu_row* vcpu_row(__u32 slot) {
  return bpf_map_lookup_elem(&vcpus, &slot);
}

static __always_inline struct ks_state* shared_state(void) {
  __u32 key = 0;
  return bpf_map_lookup_elem(&state, &key);
}
