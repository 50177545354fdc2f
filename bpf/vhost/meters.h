/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the source vhost counts of a virtqueue: a part of the contract of bpf/vhost/records.h. */
#pragma once

/* The order is part of the layout. */
enum ks_vhost_meter {
  KS_METER_VHOST_RUN = 0,        /* turns of the worker on it */
  KS_METER_VHOST_KICK,           /* the guest's notifications */
  KS_METER_VHOST_SIGNAL,         /* batches of used buffers that vhost told the guest of */
  KS_METER_VHOST_BAD_DESCRIPTOR, /* descriptors that vhost refused */
  KS_METER_VHOST_CONFIG,         /* ioctls on its device, counted on the first queue */
  KS_METER_VSOCK_RX_BYTES,       /* payload that the guest was handed */
  KS_METER_VSOCK_TX_BYTES,       /* payload that the guest sent */
  KS_VHOST_METERS
};
