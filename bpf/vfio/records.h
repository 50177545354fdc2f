/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The source vfio: devices handed to guests. A part of the contract of bpf/records.h. */
#pragma once

#include "bpf/records.h"
#include "bpf/vfio/meters.h"

#define KS_VFIO_VERSION 1

/* What an ioctl is made on: some commands of the two have the same numbers. */
enum ks_vfio_kind {
  KS_VFIO_CONTAINER = 0, /* or a group */
  KS_VFIO_DEVICE,
  KS_VFIO_KINDS
};

/* In the slot of the VM's ks_vm_row; of the VM vm_serial. */
struct ks_vfio_vm_row {
  uint64_t vm_serial;
  uint64_t changed;                          /* not 0: bits were set since user space took them */
  uint64_t ioctls[KS_VFIO_KINDS * 256 / 64]; /* by KS_IOCTL_MEMBER */
  uint64_t padding[6];
  struct ks_meter_row meters[KS_VFIO_METERS]; /* by ks_vfio_meter; added atomically */
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_vfio_vm_row, meters) == 128);
KS_STATIC_ASSERT(sizeof(struct ks_vfio_vm_row) % 64 == 0);

/* One row a VM. */
struct ks_vfio_limits {
  struct ks_meter_limits meters[KS_VFIO_METERS];
};

struct ks_vfio_losses {
  uint64_t ring_full;         /* a record found no room */
  uint64_t row_lookup;        /* a slot led to no row */
  uint64_t missed_return;     /* a call whose return no kretprobe saw: not counted */
  uint64_t vfio_unattributed; /* an ioctl of a process that has several VMs: not counted */
  uint64_t vfio_without_vm;   /* the same, of a process without one: its own, or a VMM's child */
};
