/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Registration of a VM: see bpf/kvm/register.bpf.h. */
#pragma once

#include "bpf/kvm/maps.bpf.h"

KS_DESCRIBE(ks_vm_born);

/* Tell user space of a new VM, if the second's budget allows. Without it the VM is found at the
 * next tick: what is over budget is late, not lost. */
static __always_inline void announce_vm(__u32 slot, const struct ks_vm_row* vm, __u64 now) {
  struct ks_state* shared = shared_state();
  if (!shared) return;
  __u64 second = now / 1000000000ULL;
  if (shared->births_window != second) {
    shared->births_window = second;
    shared->births_sent = 0;
  }
  if (__sync_fetch_and_add(&shared->births_sent, 1) >= KS_BIRTHS_PER_SECOND) {
    KS_LOSE(over_budget);
    return;
  }
  struct ks_vm_born* record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
  if (!record) {
    KS_LOSE(ring_full);
    return;
  }
  record->header.version = KS_LAYOUT_VERSION;
  record->header.kind = KS_RECORD_VM_BORN;
  record->header.size = sizeof(*record);
  record->header.time_ns = now;
  record->header.vm_serial = vm->serial;
  record->vm_slot = slot;
  record->padding = 0;
  bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
}

/* Says that VM is of its address space. If others are too, that is never unsaid here: user space
 * deletes the entry once the address space has no VM left (sensor/source/kvm/owners.h). It may do
 * so just now, so it is looked again whether the entry stands. */
static __always_inline void own_address_space(const struct ks_vm_row* vm, struct ks_state* shared) {
  struct ks_owner_key key = {.kind = KS_OWNER_MM, .id = {vm->mm}};
  struct ks_owner owner = {.serial = vm->serial, .slot = vm->slot};
  bool said = false;
  for (int tries = 0; tries < KS_PUBLISH_TRIES && !said; tries++) {
    said = !bpf_map_update_elem(&owners, &key, &owner, BPF_NOEXIST);
    struct ks_owner* other = said ? 0 : bpf_map_lookup_elem(&owners, &key);
    if (!other) continue;
    other->several = 1;
    other = bpf_map_lookup_elem(&owners, &key);
    said = other && other->several;
  }
  if (!said) KS_LOSE(table_update);
  /* Only now may who found no owner go on believing that. */
  __sync_fetch_and_add(&shared->owners_made, 1);
}

/* A new row for KVM, whose entry, if not 0, is STALE. Returns the slot, KS_NO_SLOT where none is
 * left (counted as a loss). */
static __noinline __u32 add_vm(__u64 kvm, __u32 born_seen, __u64 stale) {
  __u32 slot = take_slot(&free_vm_slots, &vms_used);
  if (slot == KS_NO_SLOT) {
    KS_LOSE(no_vm_slot);
    return KS_NO_SLOT;
  }
  struct ks_vm_row* vm = vm_row(slot);
  struct ks_state* shared = shared_state();
  if (!vm || !shared) {
    KS_LOSE(row_lookup);
    return KS_NO_SLOT;
  }
  __u64 now = bpf_ktime_get_ns();
  vm->slot = slot;
  vm->kvm = kvm;
  vm->serial = __sync_fetch_and_add(&shared->next_serial, 1) + 1;
  vm->first_ns = now;
  vm->creator_pid = BPF_CORE_READ((struct kvm*)kvm, userspace_pid);
  vm->born_seen = born_seen;
  vm->vcpus = 0;
  vm->incomplete = 0;
  vm->mm = (__u64)BPF_CORE_READ((struct kvm*)kvm, mm);
  /* What came for the row's last VM after it had gone. */
  __builtin_memset(vm->meters, 0, sizeof(vm->meters));
  __u64 ours = make_entry(slot);
  __u64 entry = publish(&vm_slots, kvm, stale, ours);
  if (entry != ours) {
    vm->serial = 0;
    if (!give_slot_back(&free_vm_slots, &vms_used, slot)) KS_LOSE(table_update);
    if (entry) return slot_of_entry(entry);
    KS_LOSE(table_update);
    return KS_NO_SLOT;
  }
  own_address_space(vm, shared);
  /* Only now: two rows alive at one address would tell user space that the older one has died. */
  vm->state = KS_VM_ALIVE;
  announce_vm(slot, vm, now);
  return slot;
}

/* Whether ROW, to which the entry of KVM leads, is no longer that VM's: another VM was born at the
 * address and found no slot, or user space is about to free the row. FREE: another CPU is about to
 * publish it. */
static __always_inline bool is_stale_vm(const struct ks_vm_row* vm, __u64 kvm) {
  return !vm || vm->kvm != kvm || vm->state == KS_VM_REPLACED || vm->state == KS_VM_DEAD;
}

static __always_inline __u32 find_or_add_vm(__u64 kvm) {
  __u64 entry = find_entry(&vm_slots, kvm);
  if (entry && !is_stale_vm(vm_row(slot_of_entry(entry)), kvm)) return slot_of_entry(entry);
  return add_vm(kvm, 0, entry);
}
