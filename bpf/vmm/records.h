/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The source vmm: what the processes of a VM do on the host, and what strangers do to them and to
 * the VM's images. A part of the contract of bpf/records.h.
 */
#pragma once

#include "bpf/records.h"
#include "bpf/vmm/meters.h"

#define KS_VMM_VERSION 1

#define KS_VMM_SYSCALLS 512

/* Memory that is made executable. */
enum ks_code {
  KS_CODE_FILE = 0,  /* of a file, and not writable: a library */
  KS_CODE_ANONYMOUS, /* of no file */
  KS_CODE_WRITABLE,  /* writable as well */
  KS_CODE_STACK,     /* the main stack */
};

/* Families of system calls that a VMM has no need of once its guest runs. */
enum ks_call_family {
  KS_CALL_CREDENTIALS = 0, /* user, groups, capabilities */
  KS_CALL_NAMESPACE,
  KS_CALL_MOUNT,
  KS_CALL_MODULE, /* also a kernel to be booted */
  KS_CALL_BPF,
  KS_CALL_PERF,
  KS_CALL_PTRACE,   /* and process_vm_*: memory of other processes */
  KS_CALL_KERNEL_FS /* opened a file of proc or sysfs for writing */
};

/* What is told in words: a set for each. */
enum ks_act {
  KS_ACT_PROGRAM = 0,   /* text: the path that was started */
  KS_ACT_CONNECTION,    /* address, port, listens */
  KS_ACT_ENTERED,       /* actor: the stranger's program */
  KS_ACT_CLIENT,        /* actor, text: a path of a unix socket, empty if abstract or unnamed */
  KS_ACT_IMAGE_READ,    /* actor, text: the image's file name */
  KS_ACT_IMAGE_WRITTEN, /* opened for writing */
  KS_ACT_IMAGE_CHANGED, /* by its path: truncated, renamed, removed, its owner or mode changed */
  KS_ACT_FOREIGN_IMAGE, /* text: of another VM */
  KS_ACTS
};

#define KS_ACTS_PER_SECOND 8 /* of a VM; what is beyond is noted in untold */

/* In the slot of the VM's ks_vm_row; of the VM vm_serial. */
struct ks_vmm_vm_row {
  uint64_t vm_serial;
  uint64_t changed;   /* not 0: bits were set since user space took them */
  uint64_t code;      /* by ks_code */
  uint64_t calls;     /* by ks_call_family */
  uint64_t signals;   /* that end a process for its own fault, by number */
  uint64_t untold;    /* by ks_act: one found no room in the ring, or in the VM's budget */
  uint64_t window_ns; /* the second of the budget ... */
  uint64_t sent;      /* ... and how many records were sent in it */
  uint64_t refused[KS_VMM_SYSCALLS / 64];    /* by number of the system call; the last: any above */
  struct ks_meter_row meters[KS_VMM_METERS]; /* by ks_vmm_meter; added atomically */
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_vmm_vm_row, meters) == 128);
KS_STATIC_ASSERT(sizeof(struct ks_vmm_vm_row) % 64 == 0);

/* One row a VM. */
struct ks_vmm_limits {
  struct ks_meter_limits meters[KS_VMM_METERS];
};

/* Something was done by a process of the VM, or to it: a KS_RECORD_ACT. */
struct ks_vmm_act {
  struct ks_record header;
  uint16_t source; /* KS_SOURCE_VMM */
  uint16_t act;    /* enum ks_act */
  uint32_t tgid;   /* of the process that did it */
  uint16_t port;
  uint16_t listens;    /* 1: it waits for connections there; 0: it makes one */
  uint32_t family;     /* AF_INET or AF_INET6 */
  uint8_t address[16]; /* in network order */
  char actor[32];      /* file name of that process's program; ends in 0 */
  char text[96];       /* ends in 0 */
};
KS_STATIC_ASSERT(sizeof(struct ks_vmm_act) == 184);

struct ks_vmm_losses {
  uint64_t ring_full;        /* a record found no room */
  uint64_t row_lookup;       /* a slot led to no row */
  uint64_t missed_return;    /* a call whose return no kretprobe saw: not counted */
  uint64_t child_untracked;  /* a child of a VM's process found no room in the table */
  uint64_t vmm_unattributed; /* an act of a process that has several VMs: not counted */
};
