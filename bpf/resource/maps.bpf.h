/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The maps of the source resource. */
#pragma once

#include "bpf/kvm/maps.bpf.h"
#include "bpf/resource/records.h"
#include "bpf/vm_claim.bpf.h"

#undef KS_LOSSES
#undef KS_LOSSES_ROW
#define KS_LOSSES resource_losses
#define KS_LOSSES_ROW struct ks_resource_losses

KS_ARRAY_MAP(resource_losses, struct ks_resource_losses, BPF_F_MMAPABLE);
KS_ARRAY_MAP(resource_vms, struct ks_resource_vm, BPF_F_MMAPABLE);
KS_ARRAY_MAP(resource_vcpus, struct ks_resource_vcpu, BPF_F_MMAPABLE);
KS_ARRAY_MAP(resource_disks, struct ks_resource_disks, BPF_F_MMAPABLE);

/* The pass says each second whose cgroups are: what it says no more may be evicted. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, __u64);
  __type(value, struct ks_resource_group);
} resource_groups __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, KS_MAX_TAPS);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, __u64);
  __type(value, struct ks_resource_tap);
} resource_taps __weak SEC(".maps");

/* These two are preallocated: no memory can be had where tasks are switched. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, KS_MAX_VICTIMS);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, __u32);
  __type(value, struct ks_victim);
} resource_victims __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, KS_MAX_TAKERS);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
  __type(key, struct ks_taker_key);
  __type(value, struct ks_taker);
} resource_takers __weak SEC(".maps");
