/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* vhost-vsock: turns, configuration, and the bytes that guest and host exchange. */
#include "bpf/vhost/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/vhost/queue.bpf.h"
#include "bpf/vhost/vhost_file.bpf.h"

KS_LICENSE;

enum { VSOCK_VQ_RX = 0, VSOCK_VQ_TX = 1 }; /* include/linux/virtio_vsock.h */

#define VSOCK_HEADER 44 /* struct virtio_vsock_hdr, include/uapi/linux/virtio_vsock.h */

static __always_inline __u64 queue_at(__u64 vsock, __u32 index) {
  return vsock + bpf_core_field_offset(struct vhost_vsock, vqs) +
         index * bpf_core_type_size(struct vhost_virtqueue);
}

static __always_inline void learn_sender(struct ks_queue_row* row, __u64 vsock) {
  __u32 cid = BPF_CORE_READ((struct vhost_vsock*)vsock, guest_cid);
  if (!cid || row->cid == cid) return;
  __u32 slot = row->slot;
  row->cid = cid;
  if (bpf_map_update_elem(&vsock_senders, &cid, &slot, BPF_ANY)) KS_LOSE(table_update);
}

/* void vhost_vsock_handle_tx_kick(struct vhost_work *work): the guest sends. */
static __always_inline void on_tx(const __u64* arguments, bool typed) {
  (void)typed;
  __u64 queue = arguments[0] - bpf_core_field_offset(struct vhost_virtqueue, poll.work);
  __u64 vsock = (__u64)BPF_CORE_READ((struct vhost_virtqueue*)queue, dev) -
                bpf_core_field_offset(struct vhost_vsock, dev);
  __u64 mm = (__u64)BPF_CORE_READ((struct vhost_vsock*)vsock, dev.mm);
  struct ks_queue_row* row = queue_of(queue, mm, KS_QUEUE_VSOCK);
  if (!row) return;
  learn_sender(row, vsock);
  queue_add(row, KS_METER_VHOST_RUN, 1);
}
KS_FUNCTION_ENTRY(vhost_vsock_handle_tx_kick, on_tx)

/* void vhost_transport_do_send_pkt(struct vhost_vsock *vsock, struct vhost_virtqueue *vq): the
 * guest receives. */
static __always_inline void on_rx(const __u64* arguments, bool typed) {
  struct vhost_vsock* vsock = (struct vhost_vsock*)arguments[0];
  __u64 mm = typed ? (__u64)vsock->dev.mm : (__u64)BPF_CORE_READ(vsock, dev.mm);
  struct ks_queue_row* row = queue_of(arguments[1], mm, KS_QUEUE_VSOCK);
  if (row) queue_add(row, KS_METER_VHOST_RUN, 1);
}
KS_FUNCTION_ENTRY(vhost_transport_do_send_pkt, on_rx)

/* int vhost_add_used(struct vhost_virtqueue *vq, unsigned int head, int len): a packet lies in the
 * guest's memory. */
static __always_inline void on_used(const __u64* arguments, bool typed) {
  struct vhost_virtqueue* queue = (struct vhost_virtqueue*)arguments[0];
  __u64 mm = typed ? (__u64)queue->dev->mm : (__u64)BPF_CORE_READ(queue, dev, mm);
  int length = (int)arguments[2] - VSOCK_HEADER;
  if (length <= 0) return;
  struct ks_queue_row* row = queue_of(arguments[0], mm, KS_QUEUE_OTHER);
  if (!row || row->kind != KS_QUEUE_VSOCK || row->index != VSOCK_VQ_RX) return;
  queue_add(row, KS_METER_VSOCK_RX_BYTES, length);
}
KS_FUNCTION_ENTRY(vhost_add_used, on_used)

/* TP_PROTO(__u32 src_cid, __u32 src_port, __u32 dst_cid, __u32 dst_port, __u32 len, ...),
 * include/trace/events/vsock_virtio_transport_common.h. vhost hands on only packets that carry
 * their guest's own context id; other transports use ids that no guest has. */
static __always_inline void on_received(const __u64* ctx) {
  __u32 cid = (__u32)ctx[0];
  __u32 length = (__u32)ctx[4];
  __u32* slot = bpf_map_lookup_elem(&vsock_senders, &cid);
  struct ks_queue_row* row = slot ? queue_row(*slot) : 0;
  if (!length || !row || row->cid != cid || !is_row_of(row, row->queue, row->mm)) return;
  if (row->queue) queue_add(row, KS_METER_VSOCK_TX_BYTES, length);
}
KS_TRACEPOINT(virtio_transport_recv_pkt, on_received)

struct reconfiguration {
  __u64 vsock;
  __u64 mm;
  __u32 command;
  int result;
};

/* Calls nest eight deep below it, search_owner()'s among them: as deep as the kernel allows
 * (MAX_CALL_FRAMES, include/linux/bpf_verifier.h). */
static long reconfigure(__u32 index, struct reconfiguration* of) {
  struct ks_queue_row* row = reconfigured_queue(queue_at(of->vsock, index), of->mm, KS_QUEUE_VSOCK);
  if (row && index == VSOCK_VQ_RX) count_configuration(row, of->command, of->result);
  if (row && index == VSOCK_VQ_TX) learn_sender(row, of->vsock);
  return 0;
}

/* long vhost_vsock_dev_ioctl(struct file *f, unsigned int ioctl, unsigned long arg). A loop, so
 * that the verifier follows it once. */
static __always_inline void on_ioctl(const __u64* arguments, __s64 result, bool typed) {
  (void)typed;
  __u64 vsock = (__u64)BPF_CORE_READ((struct file*)arguments[0], private_data);
  __u64 mm = (__u64)BPF_CORE_READ((struct vhost_vsock*)vsock, dev.mm);
  struct reconfiguration of = {.vsock = vsock, .mm = mm, .command = arguments[1], .result = result};
  if (mm) bpf_loop(VSOCK_VQ_TX + 1, reconfigure, &of, 0);
}
KS_FUNCTION_EXIT(vhost_vsock_dev_ioctl, 3, on_ioctl)
KS_VHOST_SYS_EXIT(vhost_vsock_dev_ioctl, VHOST_VSOCK_MINOR, on_ioctl)
