/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a virtqueue that vhost serves to its row. A queue is registered by the first hook that meets
 * it once its VM is known, so a device may be opened before its VM, or before the sensor.
 *
 * The address alone proves nothing, for it is used again: the row must be of the device's address
 * space, and of a VM that still has its row. If not, it is given up and the queue is looked at
 * again.
 */
#pragma once

#include "bpf/vhost/maps.bpf.h"
/* after the maps that it counts in: */
#include "bpf/meter.bpf.h"
#include "bpf/kvm/owner.bpf.h"

#define KS_MAX_QUEUES_OF_DEVICE 256 /* vhost-scsi has some 130, others 2 */

static __always_inline void queue_add(struct ks_queue_row* queue, enum ks_vhost_meter meter,
                                      __u64 count) {
  shared_add(&queue->meters[meter], meter, count, queue->vm_slot, queue->index);
}

/* ROW is no longer QUEUE's. Its counts stay for user space to fold, which deletes its entry then,
 * if no other row has taken that over (entry.bpf.h). Harmless if done twice. */
static __always_inline void give_up(struct ks_queue_row* row, __u64 queue) {
  __sync_val_compare_and_swap(&row->queue, queue, 0);
}

struct queue_search {
  struct vhost_virtqueue** all; /* of the device */
  __u64 queue;
  int index; /* negative until it is found */
};

static long compare_queue(__u32 index, struct queue_search* search) {
  __u64 found = 0;
  if (bpf_probe_read_kernel(&found, sizeof(found), search->all + index)) return 1;
  if (found == search->queue) search->index = index;
  return search->index >= 0;
}

static __always_inline __u32 queues_of(const struct vhost_dev* device) {
  __u32 count = BPF_CORE_READ(device, nvqs);
  return count < KS_MAX_QUEUES_OF_DEVICE ? count : KS_MAX_QUEUES_OF_DEVICE;
}

/* The place of QUEUE in its device; negative where it is no queue of it. */
static __noinline int index_of_queue(__u64 queue, __u64 device) {
  struct queue_search search = {
      .all = BPF_CORE_READ((struct vhost_dev*)device, vqs), .queue = queue, .index = -1};
  bpf_loop(queues_of((struct vhost_dev*)device), compare_queue, &search, 0);
  return search.index;
}

/* What the kernel holds, never what an ioctl's argument said: that can change under one's eyes. */
static __noinline int read_configuration(struct ks_queue_row* row) {
  if (!row) return 0;
  struct vhost_virtqueue* queue = (struct vhost_virtqueue*)row->queue;
  row->configured_ns = bpf_ktime_get_ns();
  row->desc = (__u64)BPF_CORE_READ(queue, desc);
  row->avail = (__u64)BPF_CORE_READ(queue, avail);
  row->used = (__u64)BPF_CORE_READ(queue, used);
  row->log_base = (__u64)BPF_CORE_READ(queue, log_base);
  row->log_addr = BPF_CORE_READ(queue, log_addr);
  row->features = BPF_CORE_READ(queue, acked_features);
  row->num = BPF_CORE_READ(queue, num);
  row->log_used = BPF_CORE_READ(queue, log_used);
  struct vhost_iotlb* table = BPF_CORE_READ(queue, dev, umem);
  __u32 regions = table ? BPF_CORE_READ(table, nmaps) : 0;
  row->regions = regions < 0xffff ? regions : 0xffff;
  return 0;
}

/* A VMM sets a device up before its VM has a vCPU, which is when the VM is registered. Nothing of
 * that is lost: what was set up is read when the queue gets its row. */
static __always_inline bool is_at_work(__u64 queue) {
  return BPF_CORE_READ((struct vhost_virtqueue*)queue, private_data);
}

#define KS_VIRTIO_F_ACCESS_PLATFORM 33 /* include/uapi/linux/virtio_config.h */

/* A guest can only choose rings in its own memory; with others vhost would read and write the
 * VMM's. Behind an IOMMU of the guest's, addresses are the guest's bus's, and say nothing. */
static __noinline int check_rings(const struct ks_queue_row* row) {
  if (!row || !row->desc || row->features & 1ULL << KS_VIRTIO_F_ACCESS_PLATFORM) return 0;
  /* Rings of a device that rests are of its last driver; and without the tree nothing is found. */
  if (!is_at_work(row->queue) || !bpf_core_field_exists(((struct kvm_memslots*)0)->hva_tree))
    return 0;
  const struct ks_vm_row* vm = vm_row(row->vm_slot);
  struct ks_vhost_vm_row* sum = vhost_vm_row(row->vm_slot, row->vm_serial);
  if (!vm || !sum || vm->serial != row->vm_serial) return 0;
  __u64 outside = 0;
  if (!holds_address(vm->kvm, row->desc)) outside |= 1ULL << KS_RING_DESC;
  if (!holds_address(vm->kvm, row->avail)) outside |= 1ULL << KS_RING_AVAIL;
  if (!holds_address(vm->kvm, row->used)) outside |= 1ULL << KS_RING_USED;
  if (outside & ~sum->rings_outside) __sync_fetch_and_or(&sum->rings_outside, outside);
  return 0;
}

static __noinline struct ks_queue_row* add_queue(__u64 queue, __u64 mm,
                                                 const struct ks_owner* owner, __u32 index,
                                                 __u64 stale) {
  struct ks_vm_row* vm = owner ? vm_row(owner->slot) : 0;
  struct ks_vhost_vm_row* sum = owner ? vhost_vm_row(owner->slot, owner->serial) : 0;
  if (!vm || !sum) {
    KS_LOSE(row_lookup);
    return 0;
  }
  __u32 slot = take_slot(&free_queue_slots, &queues_used);
  if (slot == KS_NO_SLOT) {
    KS_LOSE(no_queue_slot);
    return 0;
  }
  struct ks_queue_row* row = queue_row(slot);
  if (!row) {
    KS_LOSE(row_lookup);
    return 0;
  }
  row->queue = queue;
  row->address = queue;
  row->device = (__u64)BPF_CORE_READ((struct vhost_virtqueue*)queue, dev);
  row->mm = mm;
  row->vm_slot = owner->slot;
  row->index = index;
  row->slot = slot;
  row->first_ns = bpf_ktime_get_ns();
  read_configuration(row);
  asm volatile("" ::: "memory"); /* a row of a VM without a queue is one that user space folds */
  row->vm_serial = owner->serial;
  __u64 ours = make_entry(slot);
  __u64 entry = publish(&queue_slots, queue, stale, ours);
  if (entry != ours) {
    row->vm_serial = 0;
    asm volatile("" ::: "memory");
    row->queue = 0;
    if (!give_slot_back(&free_queue_slots, &queues_used, slot)) KS_LOSE(table_update);
    row = entry ? queue_row(slot_of_entry(entry)) : 0;
    if (row && row->queue == queue) return row;
    KS_LOSE(table_update);
    return 0;
  }
  /* If the VM went meanwhile, user space may have looked for its queues already. */
  if (vm->serial != owner->serial || vm->state != KS_VM_ALIVE) {
    give_up(row, queue);
    return 0;
  }
  __sync_fetch_and_add(&sum->queues, 1);
  check_rings(row);
  return row;
}

/* QUEUE has no row that is right; STALE is its entry, 0 where it has none. NULL where it gets none;
 * why is counted, but for a device that has outlived its VM, or has not begun. */
static __noinline struct ks_queue_row* find_queue(__u64 queue, __u64 mm, __u64 stale) {
  struct ks_state* shared = shared_state();
  if (!mm || !shared) return 0; /* a device without an owner does nothing yet */
  __u64 device = (__u64)BPF_CORE_READ((struct vhost_virtqueue*)queue, dev);
  int index = index_of_queue(queue, device);
  if (index < 0) return 0;
  struct ks_stray_queue stray = {.mm = mm, .births = shared->owners_made};
  struct ks_stray_queue* known = bpf_map_lookup_elem(&stray_queues, &queue);
  if (known && known->mm == mm) stray.outlived = known->outlived;
  enum owner owner = KS_NO_VM;
  struct ks_owner vm = {};
  if (!known || known->mm != mm || known->births != stray.births) {
    __u64 ring = (__u64)BPF_CORE_READ((struct vhost_virtqueue*)queue, desc);
    owner = find_owner(mm, ring, &vm);
    if (owner == KS_OWNED) return add_queue(queue, mm, &vm, index, stale);
    if (owner == KS_NO_VM) bpf_map_update_elem(&stray_queues, &queue, &stray, BPF_ANY);
  }
  if (owner == KS_ONE_OF_SEVERAL) {
    KS_LOSE(queue_unattributed);
  } else if (!stray.outlived && is_at_work(queue)) {
    KS_LOSE(queue_without_vm);
  }
  return 0;
}

static __always_inline bool is_row_of(const struct ks_queue_row* row, __u64 queue, __u64 mm) {
  if (row->queue != queue || row->mm != mm || !row->vm_serial) return false;
  const struct ks_vm_row* vm = vm_row(row->vm_slot);
  return vm && vm->serial == row->vm_serial;
}

/* The valid row of QUEUE, else NULL. STALE: the entry found, 0 if none. */
static __always_inline struct ks_queue_row* known_queue(__u64 queue, __u64 mm, __u64* stale) {
  *stale = find_entry(&queue_slots, queue);
  struct ks_queue_row* row = *stale ? queue_row(slot_of_entry(*stale)) : 0;
  if (!row || is_row_of(row, queue, mm)) return row;
  give_up(row, queue);
  return 0;
}

/* The row of QUEUE, whose device belongs to the address space MM. KIND is KS_QUEUE_OTHER where the
 * hook cannot tell. */
static __always_inline struct ks_queue_row* queue_of(__u64 queue, __u64 mm,
                                                     enum ks_queue_kind kind) {
  __u64 stale = 0;
  struct ks_queue_row* row = known_queue(queue, mm, &stale);
  if (!row) row = find_queue(queue, mm, stale);
  if (row && kind && row->kind != kind) row->kind = kind;
  return row;
}

/* Whether the ring of QUEUE, whose row this is, still lies in the same VM's memory. */
static __always_inline bool is_of_same_vm(const struct ks_queue_row* row, __u64 queue) {
  __u64 ring = (__u64)BPF_CORE_READ((struct vhost_virtqueue*)queue, desc);
  if (!ring || ring == row->desc) return true;
  struct ks_owner vm = {};
  return find_owner(row->mm, ring, &vm) == KS_OWNED && vm.serial == row->vm_serial;
}

/* The same, where an ioctl may have changed its configuration: a ring that was moved may lie in
 * another VM's memory now. */
static __always_inline struct ks_queue_row* reconfigured_queue(__u64 queue, __u64 mm,
                                                               enum ks_queue_kind kind) {
  __u64 stale = 0;
  struct ks_queue_row* row = known_queue(queue, mm, &stale);
  if (row && !is_of_same_vm(row, queue)) {
    give_up(row, queue);
    row = 0;
  }
  if (!row) row = find_queue(queue, mm, stale);
  if (!row) return 0;
  if (row->kind != kind) row->kind = kind;
  read_configuration(row);
  check_rings(row);
  return row;
}
