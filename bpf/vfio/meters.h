/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the source vfio counts of a VM: a part of the contract of bpf/vfio/records.h. */
#pragma once

enum ks_vfio_meter {
  KS_METER_VFIO_IOCTL = 0, /* ioctls of the VM's VMM on VFIO */
  KS_VFIO_METERS
};
