/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which VM is a vhost device's? The device belongs to an address space (vhost_dev.mm, set by
 * VHOST_SET_OWNER), and so does a VM (kvm.mm). Both hold the mm_struct, so that its address is not
 * used again while either lives. The task that does the work says nothing: it is a kernel thread or
 * a thread of the VMM, and a kick comes from whoever writes to the eventfd.
 *
 * The map of owners knows the VM of an address space at once. A process may hold several VMs. Then
 * it is the one in whose memory the queue's descriptor ring lies, by the VM's own memory slots; if
 * that is none or more than one, it cannot be told, and the queue is counted for nobody. While the
 * process has only one VM, its devices are that VM's.
 */
#pragma once

#include "bpf/kvm/vms.bpf.h"

#define KS_MAX_TREE_DEPTH 64 /* a red-black tree of any number of slots is flatter */

struct slot_search {
  __u64 address;
  __u64 node; /* where the search has come to; 0 at its end */
  bool found;
};

/* One step down the tree, as lib/interval_tree.c takes it. Not 0 at the end. */
static long descend(__u32 depth, struct slot_search* search) {
  (void)depth;
  struct interval_tree_node* node = (void*)search->node;
  if (!node) return 1;
  struct interval_tree_node* left = (void*)BPF_CORE_READ(node, rb.rb_left);
  if (left && BPF_CORE_READ(left, __subtree_last) >= search->address) {
    search->node = (__u64)left;
    return 0;
  }
  if (BPF_CORE_READ(node, start) > search->address) return 1;
  search->found = BPF_CORE_READ(node, last) >= search->address;
  search->node = (__u64)BPF_CORE_READ(node, rb.rb_right);
  return search->found;
}

/* Whether ADDRESS of the VMM lies in guest memory: the kernel's own search of its interval tree, in
 * which the VMM may change slots meanwhile: bounded, and may be wrong then. Linux before 5.17 has
 * no such tree: nothing is found. */
static __noinline int holds_address(__u64 kvm, __u64 address) {
  struct kvm_memslots* slots = BPF_CORE_READ((struct kvm*)kvm, memslots[0]);
  if (!slots || !bpf_core_field_exists(slots->hva_tree)) return 0;
  struct slot_search search = {
      .address = address,
      .node = (__u64)BPF_CORE_READ(slots, hva_tree.rb_root.rb_node),
  };
  bpf_loop(KS_MAX_TREE_DEPTH, descend, &search, 0);
  return search.found;
}

struct owner_search {
  __u64 mm;
  __u64 ring;         /* address of the descriptor ring, 0 while it is not set */
  __u32 vms;          /* of this process */
  __u32 holders;      /* of these, those in whose memory the ring lies */
  struct ks_owner vm; /* the latest of them */
  struct ks_owner holder;
  bool unsettled; /* a VM is just being registered */
};

static long consider_vm(void* map, __u32* slot, struct ks_vm_row* vm, struct owner_search* search) {
  (void)map;
  struct ks_owner found = {.serial = vm->serial, .slot = *slot};
  if (!found.serial || vm->mm != search->mm) return 0;
  if (vm->state == KS_VM_FREE) search->unsettled = true;
  /* One that has died is still in the table until user space hears of it. */
  if (vm->state != KS_VM_ALIVE) return 0;
  struct kvm* kvm = (struct kvm*)vm->kvm;
  if (BPF_CORE_READ(kvm, users_count.refs.counter) <= 0) return 0;
  search->vms++;
  search->vm = found;
  if (search->ring && holds_address((__u64)kvm, search->ring)) {
    search->holders++;
    search->holder = found;
  }
  return 0;
}

enum owner { KS_OWNED, KS_NO_VM, KS_NO_VM_YET, KS_ONE_OF_SEVERAL };

/* Looks at all VMs: for a process that has, or had, several. */
static __noinline int search_owner(__u64 mm, __u64 ring, struct ks_owner* owner) {
  struct owner_search search = {
      .mm = mm, .ring = ring, .vms = zero_that_changes(), .holders = zero_that_changes()};
  if (!owner) return KS_NO_VM_YET;
  bpf_for_each_map_elem(&vms, consider_vm, &search, 0);
  if (search.vms == 0) return search.unsettled ? KS_NO_VM_YET : KS_NO_VM;
  if (search.vms > 1 && search.holders != 1) return KS_ONE_OF_SEVERAL;
  *owner = search.vms > 1 ? search.holder : search.vm;
  return KS_OWNED;
}

/* The VM whose device, of address space MM, has a ring at RING. */
static __noinline int find_owner(__u64 mm, __u64 ring, struct ks_owner* owner) {
  if (!owner) return KS_NO_VM_YET;
  struct ks_owner_key key = {.kind = KS_OWNER_MM, .id = {mm}};
  const struct ks_owner* found = bpf_map_lookup_elem(&owners, &key);
  if (!found) return KS_NO_VM;
  *owner = *found;
  const struct ks_vm_row* vm = vm_row(owner->slot);
  /* One that has died is still in the table until user space hears of it. */
  if (!owner->several && vm && vm->serial == owner->serial && vm->mm == mm &&
      vm->state == KS_VM_ALIVE) {
    struct kvm* kvm = (struct kvm*)vm->kvm;
    if (BPF_CORE_READ(kvm, users_count.refs.counter) > 0) return KS_OWNED;
  }
  return search_owner(mm, ring, owner);
}
