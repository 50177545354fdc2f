/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* vhost-net: turns of the worker on a queue, and what the VMM configures. */
#include "bpf/vhost/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/vhost/queue.bpf.h"
#include "bpf/vhost/vhost_file.bpf.h"

KS_LICENSE;

enum { VHOST_NET_VQ_RX = 0, VHOST_NET_VQ_TX = 1 }; /* drivers/vhost/net.c */

static __always_inline __u64 queue_at(__u64 net, __u32 index) {
  return net + bpf_core_field_offset(struct vhost_net, vqs) +
         index * bpf_core_type_size(struct vhost_net_virtqueue) +
         bpf_core_field_offset(struct vhost_net_virtqueue, vq);
}

static __always_inline void on_turn(__u64 address, __u32 index, bool typed) {
  struct vhost_net* net = (struct vhost_net*)address;
  __u64 mm = typed ? (__u64)net->dev.mm : (__u64)BPF_CORE_READ(net, dev.mm);
  struct ks_queue_row* row = queue_of(queue_at(address, index), mm, KS_QUEUE_NET);
  if (row) queue_add(row, KS_METER_VHOST_RUN, 1);
}

/* void handle_tx(struct vhost_net *net): the guest sends. */
static __always_inline void on_tx(const __u64* arguments, bool typed) {
  on_turn(arguments[0], VHOST_NET_VQ_TX, typed);
}
KS_FUNCTION_ENTRY(handle_tx, on_tx)

/* void handle_rx(struct vhost_net *net): the guest receives. */
static __always_inline void on_rx(const __u64* arguments, bool typed) {
  on_turn(arguments[0], VHOST_NET_VQ_RX, typed);
}
KS_FUNCTION_ENTRY(handle_rx, on_rx)

struct reconfiguration {
  __u64 net;
  __u64 mm;
  __u32 command;
  int result;
};

/* Calls nest eight deep below it, search_owner()'s among them: as deep as the kernel allows
 * (MAX_CALL_FRAMES, include/linux/bpf_verifier.h). */
static long reconfigure(__u32 index, struct reconfiguration* of) {
  struct ks_queue_row* row = reconfigured_queue(queue_at(of->net, index), of->mm, KS_QUEUE_NET);
  if (row && index == 0) count_configuration(row, of->command, of->result);
  return 0;
}

/* long vhost_net_ioctl(struct file *f, unsigned int ioctl, unsigned long arg), successful or not.
 * Before the device has an owner it is nobody's. A loop, so that the verifier follows it once. */
static __always_inline void on_ioctl(const __u64* arguments, __s64 result, bool typed) {
  (void)typed;
  __u64 net = (__u64)BPF_CORE_READ((struct file*)arguments[0], private_data);
  __u64 mm = (__u64)BPF_CORE_READ((struct vhost_net*)net, dev.mm);
  struct reconfiguration of = {.net = net, .mm = mm, .command = arguments[1], .result = result};
  if (mm) bpf_loop(2, reconfigure, &of, 0);
}
KS_FUNCTION_EXIT(vhost_net_ioctl, 3, on_ioctl)
KS_VHOST_SYS_EXIT(vhost_net_ioctl, VHOST_NET_MINOR, on_ioctl)
