/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is counted: a part of the contract of bpf/records.h. */
#pragma once

#include "bpf/types.h"

/* The order is part of the layout: it is that of `meters` and `retired`. */
enum ks_meter {
  /* of a vCPU */
  KS_METER_PIO = 0,        /* port accesses: the tracepoint's own count, so `rep outs` of N is N */
  KS_METER_PCI_CONFIG,     /* those of PCI's configuration, which are not in KS_METER_PIO */
  KS_METER_MMIO,           /* completed accesses: an unsatisfied read is counted when satisfied */
  KS_METER_MSR,            /* reads and writes that KVM sees; what hardware passes through is not */
  KS_METER_MSR_FAULT,      /* of these, those answered by #GP */
  KS_METER_USERSPACE_EXIT, /* returns of KVM_RUN to the VMM, also interrupted ones */
  KS_METER_USERSPACE_ERROR, /* of these, with an error other than EINTR and EAGAIN */
  KS_METER_EXIT,            /* VM exits */
  KS_METER_ENTRY,           /* VM entries */
  KS_METER_HALT,            /* waits of a halted vCPU inside the kernel */
  KS_METER_INTERRUPT,       /* interrupts injected into the guest */
  KS_METER_EXCEPTION,       /* exceptions injected into the guest */
  KS_METER_NESTED_ENTRY,    /* entries into a guest of the guest */
  KS_METER_NESTED_EXIT,     /* exits out of a guest of the guest, whoever handles them */
  KS_METER_HYPERCALL,       /* KVM's own hypercalls */
  KS_METER_CONTROL_WRITE,   /* writes of CR0 and CR4 that KVM sees */
  KS_METER_PAGE_FAULT,     /* page faults that KVM handles: of nested paging, or of shadow paging */
  KS_METER_EMULATION,      /* instructions that KVM emulates */
  KS_METER_FAST_MMIO,      /* MMIO writes to an eventfd, which KVM need not decode */
  KS_METER_CONTROL_ACCESS, /* accesses to control registers that left the guest */
  KS_METER_DIRTY_PAGE,     /* pages put into a dirty ring */
  KS_METER_DIRTY_FULL,     /* returns to the VMM because its dirty ring was full */
  KS_METER_DIRTY_RESET,    /* times that its dirty ring was emptied, by any thread, one at a time */
  KS_METERS_OF_VCPU,
  /* of a VM as a whole, from any task */
  KS_METER_IRQ_LINE = KS_METERS_OF_VCPU, /* changes of a line of its interrupt controllers */
  KS_METER_IRQ_MSI,                      /* message-signalled interrupts */
  KS_METER_IOCTL,                        /* ioctls on the VM and its vCPUs, but KVM_RUN */
  KS_METER_VFIO_IOCTL,                   /* ioctls of its VMM on VFIO */
  /* of a virtqueue that vhost serves */
  KS_METER_VHOST_RUN,            /* turns of the worker on it */
  KS_METER_VHOST_KICK,           /* the guest's notifications */
  KS_METER_VHOST_SIGNAL,         /* batches of used buffers that vhost told the guest of */
  KS_METER_VHOST_BAD_DESCRIPTOR, /* descriptors that vhost refused */
  KS_METER_VHOST_CONFIG,         /* ioctls on its device, counted on the first queue */
  KS_METER_VSOCK_RX_BYTES,       /* payload that the guest was handed */
  KS_METER_VSOCK_TX_BYTES,       /* payload that the guest sent */
  KS_METER_COUNT,
  KS_METERS_OF_VM = KS_METER_VHOST_RUN - KS_METERS_OF_VCPU,
  KS_METERS_OF_QUEUE = KS_METER_COUNT - KS_METER_VHOST_RUN
};

/* A cache line each: an occurrence touches one. A vCPU's has one writer at a time, but user space
 * may write 0 to checkpoint at any time ("look at the next occurrence"). */
struct ks_meter_row {
  uint64_t count;      /* cumulative */
  uint64_t checkpoint; /* the count at which the program looks at the limits again */
  uint64_t last;   /* what the latest occurrence names: a port, guest address, MSR, exit reason */
  uint64_t marked; /* the member whose bit in ks_vm_sets is known to be set, and the take since */
  uint64_t folded; /* the count at the last look */
  uint64_t folded_ns; /* when that was */
  uint64_t padding[2];
};
KS_STATIC_ASSERT(sizeof(struct ks_meter_row) == 64);
