/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The source vhost: virtqueues that the kernel serves. A part of the contract of bpf/records.h. */
#pragma once

#include "bpf/records.h"
#include "bpf/vhost/meters.h"

#define KS_VHOST_VERSION 3

enum ks_queue_kind {
  KS_QUEUE_OTHER = 0,
  KS_QUEUE_NET,   /* index 0: the guest receives, 1: it sends */
  KS_QUEUE_VSOCK, /* the same */
};

/* A slot is free while vm_serial is 0. queue is 0 once the queue is gone, or is another VM's: the
 * counts then wait for user space to fold them. The configuration is the kernel's own, as of the
 * last ioctl's end. */
struct ks_queue_row {
  uint64_t queue;     /* address of struct vhost_virtqueue */
  uint64_t device;    /* of its struct vhost_dev */
  uint64_t mm;        /* of the device's owner */
  uint64_t vm_serial; /* of the VM it belongs to */
  uint32_t vm_slot;
  uint32_t index;         /* in its device */
  uint16_t kind;          /* enum ks_queue_kind */
  uint16_t regions;       /* of the guest's memory that the device was given; 0 before */
  uint32_t slot;          /* of this row */
  uint64_t first_ns;      /* when the row was made */
  uint64_t configured_ns; /* when the following was read */
  uint64_t desc;          /* where the rings are: addresses of the VMM, or of the device's IOTLB */
  uint64_t avail;
  uint64_t used;
  uint64_t log_base; /* of the log of dirty pages */
  uint64_t log_addr; /* of the used ring in that log */
  uint64_t features; /* those in force */
  uint32_t num;      /* size of the rings; 1 before it is set */
  uint32_t log_used; /* 1: writes to the used ring are logged */
  uint32_t cid;      /* of a vsock device: its guest's; 0 before it is set */
  uint32_t going; /* 1: user space saw queue 0, and folds at the next tick; it alone writes this */
  uint64_t address; /* that of its entry, also once queue is 0 */
  uint64_t padding[7];
  struct ks_meter_row meters[KS_VHOST_METERS]; /* by ks_vhost_meter */
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_queue_row, meters) == 192);
KS_STATIC_ASSERT(sizeof(struct ks_queue_row) == 192 + 64 * KS_VHOST_METERS);

/* A virtqueue whose process has no VM. */
struct ks_stray_queue {
  uint64_t mm;       /* of the device's owner */
  uint64_t births;   /* ks_state.owners_made when its VM was last searched for */
  uint64_t outlived; /* 1: its VM is gone; what vhost still does is no VM's, and no loss */
};

/* What a virtqueue consists of. */
enum ks_ring { KS_RING_DESC = 0, KS_RING_AVAIL, KS_RING_USED };

/* What a VM has of all its queues, in the slot of its ks_vm_row; of the VM vm_serial. */
struct ks_vhost_vm_row {
  uint64_t vm_serial;
  uint32_t queues; /* rows that its virtqueues have now */
  uint32_t padding;
  uint64_t changed;                  /* not 0: bits were set since user space took them */
  uint64_t ioctls[256 / 64];         /* bit N: an ioctl of number N on its devices */
  uint64_t refused[256 / 64];        /* the same: the kernel refused it */
  uint64_t rings_outside;            /* by ks_ring: set up outside of the VM's memory */
  uint64_t retired[KS_VHOST_METERS]; /* counts of rows gone, folded so that sums never go back */
  uint64_t padding2[5];
};
KS_STATIC_ASSERT(sizeof(struct ks_vhost_vm_row) == 192);

/* One row a VM. */
struct ks_vhost_limits {
  struct ks_meter_limits meters[KS_VHOST_METERS];
};

struct ks_vhost_losses {
  uint64_t ring_full;          /* a record found no room */
  uint64_t table_update;       /* an update of a table failed */
  uint64_t row_lookup;         /* a slot led to no row */
  uint64_t missed_return;      /* a call whose return no kretprobe saw: not counted */
  uint64_t no_queue_slot;      /* an occurrence on a queue beyond the maximum: not counted */
  uint64_t queue_unattributed; /* the same, where it could be of several VMs of its process */
  uint64_t queue_without_vm;   /* the same, where its process has no VM */
};
