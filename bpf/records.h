/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The contract between the BPF programs and user space, compiled by both: here what all sources
 * share, in bpf/<source>/records.h what each has of its own. Every struct lives in a pinned map or
 * in the ring: fixed-width types, no packing, padding explicit and zeroed, offsets asserted in both
 * languages. A test compares the layouts in the objects' BTF with these.
 *
 * Whenever a layout or a meaning changes, the version of its owner changes: KS_LAYOUT_VERSION here,
 * KS_<SOURCE>_VERSION there. Pins of another version are recreated, and the daemon says so: a
 * source's own, or all, where what is shared changes.
 */
#pragma once

#include "bpf/types.h"

#define KS_LAYOUT_VERSION 9

/* Domains of sensing, as records and ks_state name them. */
enum ks_source {
  KS_SOURCE_KVM = 0,
  KS_SOURCE_VFIO,
  KS_SOURCE_VHOST,
  KS_SOURCE_RESOURCE,
  KS_SOURCE_VMM,
};

#define KS_NO_SLOT 0xffffffffU

/* ---- meters --------------------------------------------------------------------------------- */

/* A cache line each: an occurrence touches one. A vCPU's has one writer at a time, but user space
 * may write 0 to checkpoint at any time ("look at the next occurrence"). */
struct ks_meter_row {
  uint64_t count;      /* cumulative */
  uint64_t checkpoint; /* the count at which the program looks at the limits again */
  uint64_t last; /* what the latest occurrence names: a port, guest address, MSR, exit reason */
  uint64_t
      marked; /* the member whose bit is known to be set in the VM's sets, and the take since */
  uint64_t folded;    /* the count at the last look */
  uint64_t folded_ns; /* when that was */
  uint64_t padding[2];
};
KS_STATIC_ASSERT(sizeof(struct ks_meter_row) == 64);

/* Ioctls are bits in blocks: what they are made on, and the number of the command. */
#define KS_IOCTL_MEMBER(kind, number) ((kind) << 8 | (number)) /* number: _IOC_NR, 8 bits */

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
  uint64_t padding;
  struct ks_mark marks[KS_MARKS];
};

/* Of one meter. A source's limits of a VM are one of these for each of its meters. */
struct ks_meter_limits {
  struct ks_limit_row rows[KS_LIMITS_PER_METER];
};
KS_STATIC_ASSERT(sizeof(struct ks_meter_limits) % 64 == 0);

#define KS_REPORT_INTERVAL_NS 1000000000ULL

/* ---- shared state --------------------------------------------------------------------------- */

#define KS_SOURCES 32 /* room for as many sources */

/* One row: what all programs and user space share. Serials are drawn here, so that no source's rows
 * ever match a VM of another time, whichever source's maps were recreated in between. */
struct ks_state {
  uint32_t layout_version; /* KS_LAYOUT_VERSION */
  uint32_t padding;
  uint64_t next_serial;   /* last VM serial drawn */
  uint64_t heartbeat_ns;  /* when user space last looked: what came later was not observed */
  uint64_t births_window; /* KS_RECORD_VM_BORN records: the second they are budgeted in ... */
  uint64_t births_sent;   /* ... and how many of it were sent */
  uint64_t owners_made;   /* how often a program said whose something is (ks_owner) */
  uint32_t source_versions[KS_SOURCES]; /* by ks_source; 0: its maps were not made yet */
};

#define KS_BIRTHS_PER_SECOND 64

/* ---- records: what the ring carries --------------------------------------------------------- */

enum ks_record_kind {
  KS_RECORD_VM_BORN = 1,
  KS_RECORD_LIMIT = 2,
  KS_RECORD_CANARY = 3,
  KS_RECORD_ACT = 4, /* of the source vmm: bpf/vmm/records.h */
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
  uint16_t source;     /* enum ks_source */
  uint16_t meter;      /* the source's number */
  uint32_t part_index; /* of the vCPU in its VM, or of the queue in its device; else 0 */
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
