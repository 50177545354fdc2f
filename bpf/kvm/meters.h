/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the source kvm counts: a part of the contract of bpf/kvm/records.h. */
#pragma once

/* The order is part of the layout. */
enum ks_kvm_meter {
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
  KS_METER_SMM,             /* entries into system management mode */
  KS_METER_RESET,           /* resets after it ran, also by a restore: its state was set again */
  KS_METER_CONTROL_WRITE,   /* writes of CR0 and CR4 that KVM sees */
  KS_METER_PAGE_FAULT,     /* page faults that KVM handles: of nested paging, or of shadow paging */
  KS_METER_EMULATION,      /* instructions that KVM emulates */
  KS_METER_FAST_MMIO,      /* MMIO writes to an eventfd, which KVM need not decode */
  KS_METER_CONTROL_ACCESS, /* accesses to control registers that left the guest */
  KS_METER_DIRTY_PAGE,     /* pages put into a dirty ring */
  KS_METER_DIRTY_FULL,     /* returns to the VMM because its dirty ring was full */
  KS_METER_DIRTY_RESET,    /* times that its dirty ring was emptied, by any thread, one at a time */
  KS_METERS_OF_VCPU,
  /* of a VM as a whole, from any task: added atomically */
  KS_METER_IRQ_LINE = KS_METERS_OF_VCPU, /* changes of a line of its interrupt controllers */
  KS_METER_IRQ_MSI,                      /* message-signalled interrupts */
  KS_METER_IOCTL,                        /* ioctls on the VM and its vCPUs, but KVM_RUN */
  KS_KVM_METERS,
  KS_METERS_OF_VM = KS_KVM_METERS - KS_METERS_OF_VCPU
};
