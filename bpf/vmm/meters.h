/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the source vmm counts of a VM: a part of the contract of bpf/vmm/records.h. */
#pragma once

enum ks_vmm_meter {
  KS_METER_VMM_FORK = 0, /* processes that the VM's own made */
  KS_METER_VMM_ENTERED,  /* strangers that reached into one of them */
  KS_METER_VMM_IMAGE,    /* times that a stranger opened or changed an image of the VM */
  KS_METER_VMM_REFUSED,  /* system calls that their seccomp filters refused */
  KS_VMM_METERS
};
