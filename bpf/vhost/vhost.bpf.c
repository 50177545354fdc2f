/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What all vhost devices have in common: kicks, descriptors, signals, and the end. */
#include "bpf/vhost/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/vhost/queue.bpf.h"

KS_LICENSE;

#define EAGAIN 11
#define EPOLLIN 1

/* int vhost_poll_wakeup(wait_queue_entry_t *wait, unsigned mode, int sync, void *key): somebody
 * wrote to the eventfd that a queue is kicked by, whether its worker sleeps or not. Reading it
 * wakes the same waiters, with another key. */
static __always_inline void on_kick(const __u64* arguments, bool typed) {
  (void)typed;
  if (!(arguments[3] & EPOLLIN)) return;
  __u64 queue = arguments[0] - bpf_core_field_offset(struct vhost_virtqueue, poll.wait);
  struct vhost_poll* poll = (void*)(arguments[0] - bpf_core_field_offset(struct vhost_poll, wait));
  struct vhost_dev* device = BPF_CORE_READ(poll, dev);
  /* vhost-net polls its tap, too */
  if (BPF_CORE_READ((struct vhost_virtqueue*)queue, dev) != device) return;
  __u64 mm = (__u64)BPF_CORE_READ(device, mm);
  struct ks_queue_row* row = queue_of(queue, mm, KS_QUEUE_OTHER);
  if (row) queue_add(row, KS_METER_VHOST_KICK, 1);
}
KS_FUNCTION_ENTRY(vhost_poll_wakeup, on_kick)

/* int vhost_get_vq_desc(struct vhost_virtqueue *vq, ...): a descriptor's index, the queue's size
 * where none waits, or an error: the guest's ring makes no sense. Only -EAGAIN is no fault of the
 * guest's: its IOTLB must be asked first. */
static __always_inline void on_descriptor(const __u64* arguments, int result, bool typed) {
  if (result >= 0 || result == -EAGAIN) return;
  (void)typed;
  __u64 queue = arguments[0];
  __u64 mm = (__u64)BPF_CORE_READ((struct vhost_virtqueue*)queue, dev, mm);
  struct ks_queue_row* row = queue_of(queue, mm, KS_QUEUE_OTHER);
  if (row) queue_add(row, KS_METER_VHOST_BAD_DESCRIPTOR, 1);
}
KS_FUNCTION_EXIT(vhost_get_vq_desc, 7, on_descriptor)
/* int vhost_get_vq_desc_n(...), the same with one argument more, which the other calls where it is
 * there (Linux 6.19): one of the two is hooked. */
KS_FUNCTION_EXIT(vhost_get_vq_desc_n, 8, on_descriptor)

static __always_inline __u64 mm_of(const struct vhost_dev* device, bool typed) {
  return typed ? (__u64)device->mm : (__u64)BPF_CORE_READ(device, mm);
}

/* void vhost_add_used_and_signal_n(struct vhost_dev *dev, struct vhost_virtqueue *vq, ...), which
 * vhost-net signals by. It does what vhost_signal does, or calls it, as the compiler liked: so each
 * kind of device is counted in one of the two. */
static __always_inline void on_used_and_signal(const __u64* arguments, bool typed) {
  __u64 mm = mm_of((const struct vhost_dev*)arguments[0], typed);
  struct ks_queue_row* row = queue_of(arguments[1], mm, KS_QUEUE_OTHER);
  if (row && row->kind == KS_QUEUE_NET) queue_add(row, KS_METER_VHOST_SIGNAL, 1);
}
KS_FUNCTION_ENTRY(vhost_add_used_and_signal_n, on_used_and_signal)

/* void vhost_signal(struct vhost_dev *dev, struct vhost_virtqueue *vq) */
static __always_inline void on_signal(const __u64* arguments, bool typed) {
  __u64 mm = mm_of((const struct vhost_dev*)arguments[0], typed);
  struct ks_queue_row* row = queue_of(arguments[1], mm, KS_QUEUE_OTHER);
  if (row && row->kind != KS_QUEUE_NET) queue_add(row, KS_METER_VHOST_SIGNAL, 1);
}
KS_FUNCTION_ENTRY(vhost_signal, on_signal)

static long forget_queue(__u32 index, struct vhost_virtqueue*** all) {
  __u64 queue = 0;
  if (bpf_probe_read_kernel(&queue, sizeof(queue), *all + index)) return 1;
  bpf_map_delete_elem(&stray_queues, &queue);
  __u64 entry = find_entry(&queue_slots, queue);
  struct ks_queue_row* row = entry ? queue_row(slot_of_entry(entry)) : 0;
  if (row) give_up(row, queue);
  return 0;
}

/* void vhost_dev_cleanup(struct vhost_dev *dev): the device is closed, or its owner gives it up.
 * Nothing works on its queues any more. */
static __always_inline void on_cleanup(const __u64* arguments, bool typed) {
  (void)typed;
  struct vhost_dev* device = (struct vhost_dev*)arguments[0];
  struct vhost_virtqueue** all = BPF_CORE_READ(device, vqs);
  bpf_loop(queues_of(device), forget_queue, &all, 0);
}
KS_FUNCTION_ENTRY(vhost_dev_cleanup, on_cleanup)
