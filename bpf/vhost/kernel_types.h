/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's types of drivers/vhost, as bpf/kernel_types.h. */
#pragma once

#include "bpf/kernel_types.h"

struct wait_queue_entry {
  unsigned int flags;
} KS_CORE;

struct vhost_work {
  unsigned long flags;
} KS_CORE;

struct vhost_poll {
  struct wait_queue_entry wait;
  struct vhost_work work;
  struct vhost_dev* dev;
} KS_CORE;

struct vhost_iotlb {
  unsigned int nmaps;
} KS_CORE;

struct vhost_dev {
  struct mm_struct* mm;
  struct vhost_iotlb* umem; /* set by VHOST_SET_MEM_TABLE */
  struct vhost_virtqueue** vqs;
  int nvqs;
} KS_CORE;

struct vhost_virtqueue {
  struct vhost_dev* dev;
  unsigned int num;
  void* desc;
  void* avail;
  void* used;
  struct vhost_poll poll;
  void* private_data; /* the backend, once there is one */
  bool log_used;
  __u64 log_addr;
  __u64 acked_features;
  void* log_base;
} KS_CORE;

struct vhost_net_virtqueue {
  struct vhost_virtqueue vq;
} KS_CORE;

struct vhost_net {
  struct vhost_dev dev;
  struct vhost_net_virtqueue vqs[2];
} KS_CORE;

struct vhost_vsock {
  struct vhost_dev dev;
  struct vhost_virtqueue vqs[2];
  __u32 guest_cid;
} KS_CORE;
