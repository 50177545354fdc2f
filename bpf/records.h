/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The contract between the BPF programs and user space, compiled by both. Every struct here lives
 * in a pinned map or in the ring: fixed-width types, no packing, padding explicit and zeroed,
 * offsets asserted in both languages. A test compares the layouts in the objects' BTF with these.
 *
 * Whenever a layout or a meaning changes, KS_LAYOUT_VERSION changes: pins of another version are
 * recreated, and the daemon says so.
 */
#pragma once

#include "bpf/meters.h"
#include "bpf/types.h"
#include "bpf/walks.h"

#define KS_LAYOUT_VERSION 8

/* ---- vCPUs and VMs -------------------------------------------------------------------------- */

enum ks_origin {
  KS_ORIGIN_BORN = 1, /* seen at its creation */
  KS_ORIGIN_WALK,     /* found by the walk over open files */
  KS_ORIGIN_HOOK,     /* met by a hook that did not know it */
};

/* A slot is free while vm_serial is 0. vcpu is 0 once the vCPU is gone: its counts then wait for
 * user space to fold them. A hook that remembers a slot knows by comparing vcpu that the row is its
 * own. */
struct ks_vcpu_row {
  uint64_t vcpu;      /* address of struct kvm_vcpu */
  uint64_t vm_serial; /* of the VM it belongs to */
  uint32_t vm_slot;
  uint32_t vcpu_index; /* kvm_vcpu.vcpu_idx: the order of creation */
  uint64_t first_ns;   /* when the row was made */
  uint32_t origin;     /* enum ks_origin */
  uint32_t takes;      /* how often user space took the bits of ks_vm_sets; it alone writes this */
  uint64_t exit_reasons_seen; /* bit N: user-space exit reason N since user space took the bits */
  uint32_t slot;              /* of this row */
  uint32_t timing;            /* 1: the time from an exit to the next entry is being taken */
  uint64_t hypercalls_seen;   /* bit N: hypercall N since then; 63: that, or one above */
  uint64_t address;           /* that of its entry, also once vcpu is 0 */
  uint64_t padding[7];
  struct ks_meter_row meters[KS_METERS_OF_VCPU];
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_vcpu_row, meters) == 128);
KS_STATIC_ASSERT(sizeof(struct ks_vcpu_row) == 128 + 64 * KS_METERS_OF_VCPU);

/* ---- exits: why vCPUs left the guest, and for how long --------------------------------------- */

#define KS_ISA_VMX 1 /* arch/x86/kvm/trace.h */
#define KS_ISA_SVM 2

#define KS_EXIT_REASONS 256 /* exit_index() of bpf/exit_reason.h says which is which */
#define KS_EXIT_TIMES 40
#define KS_EXIT_SAMPLE 64 /* one exit of so many is timed, and its state read */

/* What a sampled exit's state is known of. VMX keeps it in the processor: KVM knows what it had to
 * read for the exit. */
enum ks_known {
  KS_KNOWN_RIP = 1,
  KS_KNOWN_CR3 = 2,
  KS_KNOWN_CPL = 4,
};

/* One row a vCPU, in the slot of its ks_vcpu_row. */
struct ks_exit_row {
  uint64_t reasons[KS_EXIT_REASONS]; /* exits by exit_index() */
  uint64_t times[KS_EXIT_TIMES];     /* sampled exits by time to entry: N is 2^N ns up to 2^(N+1) */
  uint64_t seen[4];                  /* bit N: reason N since user space took the bits */
  uint64_t exit_ns;                  /* when the exit happened that is being timed, or was last */
  uint64_t rip;                      /* of that exit, as far as known */
  uint64_t cr3;
  uint32_t cpl;
  uint32_t known;  /* of the above: enum ks_known */
  uint32_t reason; /* of that exit: exit_member() */
  uint32_t isa;    /* KS_ISA_*, 0 before the first exit */
  uint64_t lstar;  /* of SVM: the guest's at the latest sampled exit; 0 before it was set */
  uint64_t padding[6];
};
KS_STATIC_ASSERT(sizeof(struct ks_exit_row) % 64 == 0);

enum ks_vm_state {
  KS_VM_FREE = 0,
  KS_VM_ALIVE,
  KS_VM_REPLACED, /* another VM was born at its address: it is gone, user space has yet to hear */
  KS_VM_DEAD,     /* user space has seen its end; the row waits for reuse */
};

struct ks_vm_row {
  uint64_t kvm;         /* address of struct kvm */
  uint64_t serial;      /* never reused while the maps live; 0 in a row that was never used */
  uint64_t first_ns;    /* when the row was made */
  uint32_t creator_pid; /* kvm->userspace_pid: the process that created the VM */
  uint32_t state;       /* enum ks_vm_state */
  uint32_t born_seen;   /* 1: registered at its first vCPU's creation, so counts are complete */
  uint32_t vcpus;       /* rows that were made for its vCPUs */
  uint32_t incomplete;  /* 1: a vCPU of it found no slot and is not counted */
  uint32_t queues;      /* rows that its virtqueues have now */
  uint64_t mm;          /* kvm->mm: the address space of the process that created the VM */
  uint64_t padding;
  struct ks_meter_row meters[KS_METERS_OF_VM]; /* from KS_METERS_OF_VCPU on; added atomically */
  uint64_t retired[KS_METER_COUNT]; /* counts of rows gone, folded so that sums never go back */
  uint64_t padding2[6];
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_vm_row, meters) == 64);
KS_STATIC_ASSERT(sizeof(struct ks_vm_row) % 64 == 0);

/* ---- virtqueues that vhost serves ------------------------------------------------------------ */

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
  struct ks_meter_row meters[KS_METERS_OF_QUEUE]; /* from KS_METER_VHOST_RUN on */
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_queue_row, meters) == 192);
KS_STATIC_ASSERT(sizeof(struct ks_queue_row) == 192 + 64 * KS_METERS_OF_QUEUE);

/* A virtqueue whose process has no VM. */
struct ks_stray_queue {
  uint64_t mm;       /* of the device's owner */
  uint64_t births;   /* ks_state.next_serial when its VM was last searched for */
  uint64_t outlived; /* 1: its VM is gone; what vhost still does is no VM's, and no loss */
};

/* ---- limits: what user space wants to be told at once --------------------------------------- */

#define KS_LIMITS_PER_METER 2 /* a rate and a burst; more are left to user space's ticks */
#define KS_MARKS 8            /* the window slides by an eighth of its length */

struct ks_mark {
  uint64_t epoch;   /* time / (window / KS_MARKS): which eighth this is; written after base */
  uint64_t counted; /* ks_limit_row.counted at its beginning */
};

/* One limit of one meter of one VM. User space writes max and window_ns (0: no limit), the programs
 * the rest; user space takes (reads and clears) untold. Marks race benignly: a lost update makes a
 * count too low, never too high. */
struct ks_limit_row {
  uint64_t max;
  uint64_t window_ns;
  uint64_t counted;     /* cumulative, of steps known to lie within a window's eighth */
  uint64_t reported_ns; /* when last told; next after KS_REPORT_INTERVAL_NS */
  uint64_t untold;      /* counted when it was passed last, where the ring had no room for that */
  uint64_t untold_ns;   /* when that was */
  uint64_t untold_last; /* and what the occurrence named */
  struct ks_mark marks[KS_MARKS];
};

struct ks_vm_limits {
  struct ks_limit_row rows[KS_METER_COUNT][KS_LIMITS_PER_METER];
};

#define KS_REPORT_INTERVAL_NS 1000000000ULL

/* ---- sets: which members were seen ---------------------------------------------------------- */

/* MSRs are bits in four blocks: the three ranges of the hardware's own MSR bitmaps, and one for the
 * paravirtual ones of Hyper-V and KVM (SDM vol. 3 24.6.9, APM vol. 2 15.11, hyperv-tlfs.h,
 * kvm_para.h). */
#define KS_MSR_BLOCK 8192
#define KS_MSR_LOW 0x0U
#define KS_MSR_HIGH 0xc0000000U
#define KS_MSR_AMD 0xc0010000U
#define KS_MSR_HYPERV 0x40000000U /* first half of the fourth block */
#define KS_MSR_KVM 0x4b564d00U    /* second half */
#define KS_MSR_BITS (4 * KS_MSR_BLOCK)

/* Ioctls are bits in blocks, by what they are made on and the number of the command. */
enum ks_ioctl_kind {
  KS_IOCTL_VM = 0,
  KS_IOCTL_VCPU,
  KS_IOCTL_DEVICE, /* one that the VM has in the kernel */
  KS_IOCTL_VHOST,
  KS_IOCTL_VFIO,        /* a container or a group */
  KS_IOCTL_VFIO_DEVICE, /* some of their commands have the same numbers */
  KS_IOCTL_KINDS
};
#define KS_IOCTL_MEMBER(kind, number) ((kind) << 8 | (number)) /* number: _IOC_NR, 8 bits */

/* What has too many members for bits is kept in small tables: member + 1, 0 where free. A member
 * that finds no room among KS_TABLE_PROBES places is counted, and not told from the others. */
#define KS_MMIO_PAGES 128 /* places in the table of guest pages */
#define KS_OTHER_MSRS 32  /* of MSRs outside the blocks */
#define KS_TABLE_PROBES 8
#define KS_PAGE_SHIFT 12

/* First-seen members of one VM. Programs set them, user space takes (reads and clears) them. */
struct ks_vm_sets {
  uint64_t changed;       /* not 0: members were set since user space took them */
  uint64_t mmio_overflow; /* guest pages that found no room */
  uint64_t msr_overflow;  /* MSRs outside the blocks that found no room */
  uint64_t padding[5];
  uint64_t ports[65536 / 64];
  uint64_t msrs_written[KS_MSR_BITS / 64];
  uint64_t ioctls[KS_IOCTL_KINDS * 256 / 64]; /* by KS_IOCTL_MEMBER */
  uint64_t mmio_pages[KS_MMIO_PAGES];         /* guest addresses >> KS_PAGE_SHIFT */
  uint64_t other_msrs[KS_OTHER_MSRS];
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_vm_sets, ports) == 64);
KS_STATIC_ASSERT(sizeof(struct ks_vm_sets) % 64 == 0);

/* ---- losses: whatever is not counted or told, by reason ------------------------------------- */

struct ks_losses {
  uint64_t ring_full;     /* a record found no room */
  uint64_t no_vm_slot;    /* a birth or an occurrence of a VM beyond the maximum: not watched */
  uint64_t no_vcpu_slot;  /* the same of a vCPU beyond the maximum */
  uint64_t table_update;  /* an update of the VM or vCPU table failed */
  uint64_t row_lookup;    /* a slot led to no row */
  uint64_t unattributed;  /* an occurrence in no vCPU's context */
  uint64_t over_budget;   /* records not sent because a budget was used up; still counted */
  uint64_t no_queue_slot; /* an occurrence on a virtqueue beyond the maximum: not counted */
  uint64_t queue_unattributed; /* the same, where it could be of several VMs of its process */
  uint64_t queue_without_vm;   /* the same, where its process has no VM */
  uint64_t vfio_unattributed;  /* an ioctl on VFIO of a process that has several VMs */
  uint64_t vfio_without_vm;  /* the same, of a process that has no VM: its own, or a VMM's child */
  uint64_t irq_unattributed; /* an interrupt by an eventfd or a worker, whose VM cannot be told */
  uint64_t missed_return;    /* a call whose return no kretprobe saw: not counted */
};

/* ---- shared state --------------------------------------------------------------------------- */

/* One row: what all programs and user space share. */
struct ks_state {
  uint32_t layout_version; /* KS_LAYOUT_VERSION */
  uint32_t padding;
  uint64_t next_serial;   /* last VM serial drawn */
  uint64_t heartbeat_ns;  /* when user space last looked: what came later was not observed */
  uint64_t births_window; /* KS_RECORD_VM_BORN records: the second they are budgeted in ... */
  uint64_t births_sent;   /* ... and how many of it were sent */
};

#define KS_BIRTHS_PER_SECOND 64

/* ---- records: what the ring carries --------------------------------------------------------- */

enum ks_record_kind {
  KS_RECORD_VM_BORN = 1,
  KS_RECORD_LIMIT = 2,
  KS_RECORD_CANARY = 3,
};

struct ks_record {
  uint16_t version; /* KS_LAYOUT_VERSION */
  uint16_t kind;    /* enum ks_record_kind */
  uint32_t size;    /* of the whole record */
  uint64_t time_ns; /* bpf_ktime_get_ns() */
  uint64_t vm_serial;
};

/* A VM was registered: look at its row now, not at the next tick. */
struct ks_vm_born {
  struct ks_record header;
  uint32_t vm_slot;
  uint32_t padding;
};

/* More than a limit was counted within its window. At most one per limit and second. */
struct ks_limit_crossed {
  struct ks_record header;
  uint32_t meter;
  uint32_t vcpu_index; /* or the queue's in its device */
  uint64_t counted;    /* within the window, up to and including this occurrence */
  uint64_t max;
  uint64_t window_ns;
  uint64_t last; /* the latest member: port, guest address, MSR or exit reason */
};

/* Of no VM (vm_serial 0): user space has it sent, and looks whether it comes back. */
struct ks_canary {
  struct ks_record header;
  uint64_t number;
};
KS_STATIC_ASSERT(sizeof(struct ks_canary) == 32);
KS_STATIC_ASSERT(sizeof(struct ks_record) == 24);
KS_STATIC_ASSERT(sizeof(struct ks_vm_born) == 32);
KS_STATIC_ASSERT(sizeof(struct ks_limit_crossed) == 64);
