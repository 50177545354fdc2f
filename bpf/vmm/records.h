/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The source vmm: what the processes of a VM do on the host, and what strangers do to them and to
 * the VM's images. A part of the contract of bpf/records.h.
 */
#pragma once

#include "bpf/kvm/records.h"
#include "bpf/vmm/meters.h"

#define KS_VMM_VERSION 8

#define KS_VMM_SYSCALLS 512

/* Memory that is made executable. */
enum ks_code {
  KS_CODE_FILE = 0,  /* of a file as it lies on disk: a library */
  KS_CODE_ANONYMOUS, /* of no file */
  KS_CODE_WRITABLE,  /* writable as well */
  KS_CODE_STACK,     /* the main stack */
  KS_CODE_MODIFIED,  /* of a file, and written to by the process since it was mapped */
  KS_CODE_MEMORY,    /* of a file that lies in memory alone: memfd, shared memory */
  KS_CODE_UNTRUSTED, /* of a file on disk that somebody else may have written */
};

/* Memory that KVM maps for the guest. */
enum ks_slot_kind {
  KS_SLOT_SPECIAL = 0, /* the kernel has no pages of it, as of a device's */
  KS_SLOT_VFIO,        /* the same, mapped by VFIO */
  KS_SLOT_EXCHANGED,   /* other memory of the VMM, where the guest had its own */
};

/* Families of system calls that a VMM has no need of once its guest runs. */
enum ks_call_family {
  KS_CALL_CREDENTIALS = 0, /* became root again */
  KS_CALL_NAMESPACE,
  KS_CALL_MOUNT,
  KS_CALL_MODULE, /* also a kernel to be booted */
  KS_CALL_BPF,
  KS_CALL_PERF,
  KS_CALL_PTRACE,   /* and process_vm_*: memory of other processes, or of another VM */
  KS_CALL_MEMORY,   /* opened the host's memory or ports as a device */
  KS_CALL_KERNEL_FS /* opened a file of proc or sysfs for writing */
};

/* Sockets that are made, by what they reach. */
enum ks_socket {
  KS_SOCKET_UNIX = 0,
  KS_SOCKET_STREAM, /* of IP: TCP and the like */
  KS_SOCKET_UDP,
  KS_SOCKET_PING,    /* ICMP without the right to make raw ones */
  KS_SOCKET_RAW,     /* of IP */
  KS_SOCKET_PACKET,  /* frames of an interface */
  KS_SOCKET_NETLINK, /* the kernel's settings; looking a name up makes some, too */
  KS_SOCKET_VSOCK,
  KS_SOCKET_OTHER,
};

/* What is reported with who did it: a set for each. */
enum ks_act {
  KS_ACT_PROGRAM = 0,   /* text: the path that was started */
  KS_ACT_CONNECTION,    /* address, port */
  KS_ACT_LISTENER,      /* the same; port 0 where the kernel chooses it later */
  KS_ACT_SERVICE,       /* text: the path of another process's unix socket */
  KS_ACT_ENTERED,       /* actor: the stranger's program */
  KS_ACT_CLIENT,        /* actor, text: a path of a unix socket, empty if abstract or unnamed */
  KS_ACT_IMAGE_READ,    /* actor, text: the image's file name */
  KS_ACT_IMAGE_WRITTEN, /* opened for writing */
  KS_ACT_IMAGE_CHANGED, /* by its path: truncated, renamed, removed, its owner or mode changed */
  KS_ACT_FOREIGN_IMAGE, /* text: of another VM */
  KS_ACT_MEMORY_OPENED, /* actor, text: the name of a file in which its memory lies */
  KS_ACT_PAGER,         /* actor: fills its pages, by userfaultfd */
  KS_ACT_FILE_READ,     /* text: the path of a file that it opened, and not everybody may read */
  KS_ACT_FILE_WRITTEN,  /* text: the path of a file that it opened to write */
  KS_ACT_DATAGRAM,      /* address, port: it sends datagrams there */
  KS_ACT_DRIVEN,        /* actor: made ioctls on the VM or a vCPU of it */
  /* member: of the set whose bits are in the VM's row, too, where no record could be sent */
  KS_ACT_CODE,
  KS_ACT_CALL,
  KS_ACT_SOCKET,
  KS_ACT_SIGNAL,
  KS_ACT_SLOT,
  KS_ACT_REFUSED,
  KS_ACTS
};

/* Bits: what of a path is missing. */
enum ks_cut {
  KS_CUT_BEGIN = 1,
  KS_CUT_END = 2,
};

#define KS_ACTS_PER_SECOND 16 /* of a kind, of a VM; those beyond are noted as bits */
#define KS_PARENTS 2
#define KS_MAX_CHILDREN 1024 /* of a VM that live at a time */

/* Of a process that one of a VM's made, or that runs another program than the VMM: by its tgid. */
struct ks_child {
  struct ks_owner vm;
  uint64_t begin;   /* task_struct.start_boottime */
  char program[32]; /* file name of its program; ends in 0 */
  uint64_t copied;  /* 1: made while the guest ran, and no program was started in it since */
};

/* To whom a VM sent datagrams. */
struct ks_peer {
  uint32_t address[4]; /* in network order; of IPv4 the first */
  uint32_t family;     /* AF_INET or AF_INET6 */
  uint32_t port;
  uint64_t told_ns; /* when it was told of */
};
#define KS_PEERS 16

/* In the slot of the VM's ks_vm_row; of the VM vm_serial. */
struct ks_vmm_vm_row {
  uint64_t vm_serial;
  uint64_t changed; /* not 0: bits were set since user space took them */
  uint64_t code;    /* by ks_code */
  uint64_t calls;   /* by ks_call_family */
  uint64_t signals; /* that end a process for its own fault, by number */
  uint64_t slots;   /* by ks_slot_kind */
  uint64_t sockets; /* by ks_socket */
  uint64_t unsent;  /* by ks_act: one found no room in the ring, or in the VM's budget */
  int64_t children; /* that live */
  uint64_t refused[KS_VMM_SYSCALLS / 64]; /* by number of the system call; the last: any above */
  uint64_t window_ns;                     /* the second of the budgets ... */
  uint32_t sent[KS_ACTS];                 /* ... and how many records were sent in it, by ks_act */
  uint64_t memory_end; /* of the guest's main memory, from 1 MiB on; 0 until a part was taken */
  uint64_t memory_at;  /* its address in the VMM, less that of the guest */
  uint64_t padding;
  struct ks_meter_row meters[KS_VMM_METERS]; /* by ks_vmm_meter; added atomically */
  struct ks_peer peers[KS_PEERS];            /* the latest, by a hash of them */
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_vmm_vm_row, meters) == 256);
KS_STATIC_ASSERT(sizeof(struct ks_vmm_vm_row) % 64 == 0);

/* Bits: networks of the VM that its VMM carries itself, so that its guest's traffic looks like its
 * own. */
enum ks_network {
  KS_NETWORK_USER = 1,     /* whatever the guest connects or sends to, the VMM does for it */
  KS_NETWORK_DATAGRAM = 2, /* its frames are datagrams */
};

/* One row a VM. User space alone writes what is not a meter's. */
struct ks_vmm_limits {
  struct ks_meter_limits meters[KS_VMM_METERS];
  uint64_t watched;  /* serial of the VM that user space takes records of */
  uint64_t networks; /* of that VM, by ks_network */
  uint64_t padding[6];
};

/* Something was done by a process of the VM, or to it: a KS_RECORD_ACT. */
struct ks_vmm_act {
  struct ks_record header;
  uint16_t source; /* KS_SOURCE_VMM */
  uint16_t act;    /* enum ks_act */
  uint32_t tgid;   /* of the process that did it */
  uint16_t port;
  uint16_t cut;    /* of the text, by ks_cut */
  uint32_t family; /* AF_INET or AF_INET6 */
  uint32_t member;
  uint32_t padding;
  uint8_t address[16]; /* in network order */
  char actor[32];      /* file name of that process's program; ends in 0 */
  char text[128];      /* ends in 0 */
  /* For people, who want to know how it came to that; the process may have changed what is here: */
  uint32_t uid;
  uint32_t arguments_size;
  char arguments[96];           /* the first bytes of its command line, each argument ends in 0 */
  char parents[KS_PARENTS][16]; /* file names of the programs of its parent, and of that one's */
};
KS_STATIC_ASSERT(sizeof(struct ks_vmm_act) == 360);

struct ks_vmm_losses {
  uint64_t ring_full;       /* a record found no room */
  uint64_t row_lookup;      /* a slot led to no row */
  uint64_t missed_return;   /* a call whose return no kretprobe saw: not counted */
  uint64_t child_untracked; /* a child of a VM's process found no room in the table */
  uint64_t orphan_act;      /* an act of a process whose VM has ended and is not followed on */
  uint64_t early_file;      /* a file that was opened before user space knew the VM */
};
