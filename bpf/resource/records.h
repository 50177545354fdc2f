/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The source resource: what VMs use of the host, as the kernel's own counters have it. A part of
 * the contract of bpf/records.h. One pass writes all rows, once a second.
 */
#pragma once

#include "bpf/records.h"

#define KS_RESOURCE_VERSION 4

#define KS_NO_LIMIT 0xffffffffffffffffULL

/* What a row is known of. */
enum ks_resource_known {
  KS_KNOWN_PROCESS = 1,      /* the process that holds the VM's memory */
  KS_KNOWN_CPU_GROUP = 2,    /* it is in a cgroup below the root, of the controller cpu */
  KS_KNOWN_MEMORY_GROUP = 4, /* the same of memory */
};

/* One row a VM, in the slot of its ks_vm_row. Times are in ns, sizes in bytes; counts are
 * cumulative and go back only where a VMM changes its cgroup. */
struct ks_resource_vm {
  uint64_t vm_serial;
  uint64_t begun; /* the number of the pass that wrote the row, before ... */
  uint64_t ended; /* ... and after it: else the row is being written */
  uint64_t time_ns;
  uint32_t tgid;
  uint32_t known; /* enum ks_resource_known */

  uint64_t run; /* of all its threads, also of those that have ended */

  uint64_t cpu_group; /* address of the kernel's task_group: tells that the VMM was moved */
  uint64_t quota;     /* the tightest of its cgroup and those above: so much time ... */
  uint64_t period;    /* ... in each period; KS_NO_LIMIT and 0 without one */
  uint64_t periods;   /* that have passed with work to do */
  uint64_t periods_throttled;
  uint64_t throttled; /* of its cgroup and those above, added up over processors */

  uint64_t memory_group; /* address of the kernel's mem_cgroup */
  uint64_t memory_used;  /* of the cgroup that has the tightest limit; without one, of its own */
  uint64_t memory_limit; /* of that cgroup; KS_NO_LIMIT without one */
  uint64_t swap_used;
  uint64_t high_events; /* memory.high was passed, and the VMM had to wait for reclaim */
  uint64_t max_events;  /* memory.max was met, and memory had to be reclaimed */
  uint64_t oom_events;  /* nothing was left to reclaim */
  uint64_t oom_kills;   /* processes that were killed for it */

  uint64_t resident; /* of the process */
  uint64_t swapped;
  uint64_t locked;
  uint64_t huge;        /* from hugetlbfs, which `resident` leaves out */
  uint64_t configured;  /* the memory slots of the VM */
  uint64_t oom_victims; /* how often the VMM or a helper was chosen, for want of memory */
  uint64_t has_disks;   /* 1: its ks_resource_disks was in use; the pass leaves this alone */
  uint64_t padding[5];
};
KS_STATIC_ASSERT(sizeof(struct ks_resource_vm) % 64 == 0);

enum ks_vcpu_state {
  KS_VCPU_UNKNOWN = 0, /* it has not run yet */
  KS_VCPU_RUNNING,     /* on a CPU, in the guest or for it */
  KS_VCPU_WAITING,     /* it could run, and another is on the CPU */
  KS_VCPU_HALTED,      /* the guest has nothing to do */
  KS_VCPU_OUTSIDE,     /* asleep in the VMM: paused, or the guest waits for the VMM */
  KS_VCPU_BLOCKED,     /* in the kernel, in a wait that no signal ends */
  KS_VCPU_STOPPED,     /* by a signal, or by a debugger */
  KS_VCPU_STATES
};

/* One row a vCPU, in the slot of its ks_vcpu_row. */
struct ks_resource_vcpu {
  uint64_t vm_serial;
  uint32_t index;   /* of the vCPU in its VM */
  uint32_t outside; /* 1: its thread was not in the guest, whatever it did */
  uint64_t begun;
  uint64_t ended;
  uint64_t run;   /* of the thread that ran it last */
  uint64_t delay; /* how long that thread could have run and did not: throttling included */
  uint64_t exits; /* KVM's own count: tells whether the guest gets on */
  uint32_t tid;
  uint32_t state; /* enum ks_vcpu_state */
};
KS_STATIC_ASSERT(sizeof(struct ks_resource_vcpu) == 64);

/* ---- disks ---------------------------------------------------------------------------------- */

#define KS_DISKS_PER_VM 16 /* further ones are counted together, in the last */
#define KS_LATENCIES 32    /* N: from 2^N to 2^(N+1) microseconds; the last: all above */

/* A disk of the host that a VM's cgroup uses, counted atomically. */
struct ks_resource_disk {
  uint64_t device; /* major << 20 | minor; 0: none yet */
  uint64_t reads;
  uint64_t writes; /* discards and flushes, too */
  uint64_t read_bytes;
  uint64_t write_bytes;
  uint64_t errors;
  uint64_t padding[2];
  uint64_t latencies[KS_LATENCIES]; /* requests by the time that they took */
};
KS_STATIC_ASSERT(sizeof(struct ks_resource_disk) % 64 == 0);

/* One row a VM. */
struct ks_resource_disks {
  uint64_t vm_serial;
  uint64_t padding[7];
  struct ks_resource_disk disks[KS_DISKS_PER_VM];
};

/* Of a cgroup, by the address of its blkcg: the VM that alone is in it. */
struct ks_resource_group {
  uint64_t serial;
  uint32_t slot;
  uint32_t several; /* 1: other VMs are in it, too: whose its requests are cannot be told */
  uint64_t pass;    /* that said so */
};

/* ---- taps ----------------------------------------------------------------------------------- */

/* By the address of a tun_file of its, as the walk over files tells it. User space makes the
 * entries, the pass fills them. Directions are the guest's. */
struct ks_resource_tap {
  uint64_t serial; /* of the VM that has it */
  uint64_t device; /* address of its net_device, as of the first pass: another is another tap */
  uint64_t pass;   /* that filled it last */
  uint32_t ifindex;
  uint32_t padding;
  uint64_t sent_packets;
  uint64_t sent_bytes;
  uint64_t sent_drops;
  uint64_t sent_errors;
  uint64_t received_packets;
  uint64_t received_bytes;
  uint64_t received_drops;
  uint64_t received_errors;
};

#define KS_MAX_TAPS 16384

/* ---- who ran instead ------------------------------------------------------------------------ */

/* Of a vCPU's thread, by its number: user space makes the entries while somebody is to be told. */
struct ks_victim {
  uint64_t serial; /* of its VM */
};
#define KS_MAX_VICTIMS 1024

struct ks_taker_key {
  uint64_t victim; /* serial of the VM that waited */
  uint64_t taker;  /* of the VM that ran; 0: it is no VM's process */
  uint32_t tgid;   /* of the process that ran; 0: a thread of the kernel */
  uint32_t padding;
};

/* How long it ran on a processor that a vCPU of the victim waited for. */
struct ks_taker {
  uint64_t ns;
  char comm[16];
};
#define KS_MAX_TAKERS 4096

/* How a pass is asked for: the words of the tables' bits that it is to look at. */
struct ks_pass {
  uint64_t number;
  uint64_t vm_words; /* 0 to so many, of vms_used */
  uint64_t vcpu_words;
  uint64_t cpus; /* possible ones */
};

struct ks_resource_losses {
  uint64_t row_lookup;   /* a slot led to no row */
  uint64_t table_update; /* an entry of a table could not be made */
  uint64_t shared_group; /* a request of a cgroup that several VMs are in: counted for none */
  uint64_t many_threads; /* a VMM with more threads than are looked at: its counts are too low */
};
