/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The source kvm: VMs, vCPUs and what they do. A part of the contract of bpf/records.h. */
#pragma once

#include "bpf/kvm/meters.h"
#include "bpf/kvm/walks.h"
#include "bpf/records.h"

#define KS_KVM_VERSION 10

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
  uint32_t takes;      /* how often user space took the bits of ks_kvm_sets; it alone writes this */
  uint64_t exit_reasons_seen; /* bit N: user-space exit reason N since user space took the bits */
  uint32_t slot;              /* of this row */
  uint32_t timing;            /* 1: the time from an exit to the next entry is being taken */
  uint64_t hypercalls_seen;   /* bit N: hypercall N since then; 63: that, or one above */
  uint64_t address;           /* that of its entry, also once vcpu is 0 */
  uint64_t published;         /* 1: it is the vCPU's; until then another row may become that */
  uint64_t rewritten; /* by ks_registers: changed by ioctls since it ran; it did not run since */
  uint64_t padding[5];
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
  uint64_t efer;   /* the guest's at the latest sampled exit */
  uint64_t cr0;    /* the same, of SVM */
  uint64_t padding[4];
};
KS_STATIC_ASSERT(sizeof(struct ks_exit_row) % 64 == 0);

enum ks_vm_state {
  KS_VM_FREE = 0,
  KS_VM_ALIVE,
  KS_VM_REPLACED, /* another VM was born at its address: it is gone, user space has yet to hear */
  KS_VM_DEAD,     /* user space has seen its end; the row stays while processes of it live */
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
  uint32_t slot;        /* of this row */
  uint64_t mm;          /* kvm->mm: the address space of the process that created the VM */
  uint64_t padding;
  struct ks_meter_row meters[KS_METERS_OF_VM]; /* from KS_METERS_OF_VCPU on; added atomically */
  uint64_t retired[KS_METERS_OF_VCPU]; /* counts of rows gone, folded so that sums never go back */
  uint64_t padding2[7];
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_vm_row, meters) == 64);
KS_STATIC_ASSERT(sizeof(struct ks_vm_row) % 64 == 0);

/* ---- whose is it ---------------------------------------------------------------------------- */

enum ks_owner_kind {
  KS_OWNER_MM = 1, /* address of an mm_struct: said by programs, when they register a VM */
  /* the others are said by user space: */
  KS_OWNER_PROCESS,   /* tgid */
  KS_OWNER_CGROUP,    /* id of a cgroup of the unified hierarchy */
  KS_OWNER_FILE,      /* an image open for writing, or guest memory: device of its file system,
                         inode; or a block device that is an image: its number, 0 */
  KS_OWNER_INTERFACE, /* ifindex, number of the network namespace */
};

struct ks_owner_key {
  uint32_t kind; /* enum ks_owner_kind */
  uint32_t padding;
  uint64_t id[2];
};

/* What a thing is to its VM, where it is not simply its own. */
enum ks_role {
  KS_ROLE_OWN = 0,
  KS_ROLE_MEMORY, /* a file that is the guest's memory */
  KS_ROLE_SHARED, /* an image that is declared as shared: VMMs of other VMs may open it */
  /* A process that does a part of the VMM's work: */
  KS_ROLE_HELPER,
  KS_ROLE_NET_HELPER,  /* the network for it, as passt does */
  KS_ROLE_FILE_HELPER, /* files for it, as virtiofsd does */
};

/* The VM that something belongs to. A reader makes sure that the row of the VM still has the
 * serial: entries outlive their VM by a moment. */
struct ks_owner {
  uint64_t serial;
  uint32_t slot;
  uint8_t several; /* 1: it belongs, or belonged, to other VMs as well */
  uint8_t role;    /* enum ks_role */
  /* Tells a number that is used again, by the lowest bits of: when a process began, by
   * task_struct.start_boottime in KS_TICK_NS; a file's inode.i_generation. 0: not known. */
  uint16_t incarnation;
};
#define KS_TICK_NS 10000000ULL /* of /proc/PID/stat, USER_HZ: include/asm-generic/param.h */

/* One row a VM, in the slot of its ks_vm_row. */
struct ks_kvm_limits {
  struct ks_meter_limits meters[KS_KVM_METERS];
};

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
  KS_IOCTL_KINDS
};

/* What has too many members for bits is kept in small tables: member + 1, 0 where free. A member
 * that finds no room among KS_TABLE_PROBES places is counted, and not told from the others. */
#define KS_MMIO_PAGES 128 /* places in the table of guest pages */
#define KS_OTHER_MSRS 32  /* of MSRs outside the blocks */
#define KS_TABLE_PROBES 8
#define KS_PAGE_SHIFT 12

/* Protections of the guest's kernel that went after they were set up. */
enum ks_protection {
  KS_LOST_WP = 0, /* CR0.WP: its read-only pages are writable to it */
  KS_LOST_SMEP,   /* CR4.SMEP: it runs code of programs */
  KS_LOST_SMAP,   /* CR4.SMAP: it reads and writes their data */
  KS_LOST_UMIP,   /* CR4.UMIP: programs read where its tables lie */
  KS_LOST_NX,     /* EFER.NX: all its data can be run */
  KS_LOST_LSTAR,  /* the entry to it is elsewhere */
};

/* Registers of a vCPU that its VMM changed between two runs. */
enum ks_registers {
  KS_REGISTERS_GENERAL = 0,
  KS_REGISTERS_STACK,       /* RSP */
  KS_REGISTERS_INSTRUCTION, /* RIP */
  KS_REGISTERS_PAGE_TABLE,  /* CR3 */
  KS_REGISTERS_CONTROL,     /* protections and modes in CR0, CR4, EFER */
  KS_REGISTERS_ENTRY,       /* LSTAR, where a system call enters the kernel */
};

/* Buffers of emulated devices that a guest overfilled. */
enum ks_overrun {
  KS_OVERRUN_FLOPPY = 0, /* the FIFO of a floppy controller */
};

/* Ways by which a guest's kernel says that it can go on no more. */
enum ks_panic {
  KS_PANIC_PVPANIC = 0,
  KS_PANIC_HYPERV,
};

/* What of ks_kvm_sets has members that user space has yet to take. */
enum ks_changed {
  KS_CHANGED_FEW = 1, /* what is read whole: ioctls, protections, registers and the like */
  KS_CHANGED_PORTS = 2,
  KS_CHANGED_MSRS = 4,
  KS_CHANGED_PAGES = 8,
  KS_CHANGED_OTHER_MSRS = 16,
};

/* Large sets are looked through in parts of so many members, two cache lines each. */
#define KS_PART 1024

struct ks_access {
  uint64_t member; /* the port or page, and 1; 0: none */
  uint32_t size;   /* in bytes */
  /* Of a string instruction the repetitions that were carried out at once, else 1. */
  uint32_t count;
};
#define KS_ACCESSES 16

/* First-seen members of one VM. Programs set them, user space takes (reads and clears) them. */
struct ks_kvm_sets {
  uint64_t changed;         /* enum ks_changed: set after what it tells of, taken before */
  uint64_t mmio_overflow;   /* guest pages that found no room */
  uint64_t msr_overflow;    /* MSRs outside the blocks that found no room */
  uint64_t protection_lost; /* by ks_protection */
  uint64_t rewritten;       /* by ks_registers: it ran with them */
  uint64_t overrun;         /* by ks_overrun */
  uint32_t floppy_run[2];   /* bytes that each floppy controller was sent since it had an answer */
  uint64_t panicked;        /* by ks_panic */
  uint64_t port_parts;      /* bit N: part N of ports has members that were set since then */
  uint64_t msr_parts;       /* the same of MSRs */
  uint64_t padding2[2];
  uint64_t ioctls[KS_IOCTL_KINDS * 256 / 64]; /* by KS_IOCTL_MEMBER */
  uint64_t ports[65536 / 64];
  uint64_t msrs_written[KS_MSR_BITS / 64];
  uint64_t mmio_pages[KS_MMIO_PAGES]; /* guest addresses >> KS_PAGE_SHIFT */
  uint64_t other_msrs[KS_OTHER_MSRS];
  /* How some of those were accessed when they were first seen, each in the place of its lowest
   * bits. */
  struct ks_access port_accesses[KS_ACCESSES];
  struct ks_access page_accesses[KS_ACCESSES];
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_kvm_sets, ports) == 192);
KS_STATIC_ASSERT(sizeof(struct ks_kvm_sets) % 64 == 0);
KS_STATIC_ASSERT(64 * KS_PART == 65536 && 64 * KS_PART >= KS_MSR_BITS);

/* ---- losses: whatever is not counted or told, by reason ------------------------------------- */

struct ks_kvm_losses {
  uint64_t ring_full;        /* a record found no room */
  uint64_t table_update;     /* an update of a table failed */
  uint64_t row_lookup;       /* a slot led to no row */
  uint64_t missed_return;    /* a call whose return no kretprobe saw: not counted */
  uint64_t no_vm_slot;       /* a birth or an occurrence of a VM beyond the maximum: not watched */
  uint64_t no_vcpu_slot;     /* the same of a vCPU beyond the maximum */
  uint64_t unattributed;     /* an occurrence in no vCPU's context */
  uint64_t over_budget;      /* records not sent because a budget was used up; still counted */
  uint64_t irq_unattributed; /* an interrupt by an eventfd or a worker, whose VM cannot be told */
};
