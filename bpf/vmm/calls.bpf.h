/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * System calls by their numbers, for kernels on which no function can be probed: seen at the
 * beginning of every call of the host. The first instructions look the number up in a table of
 * constants, and most calls end there. Numbers are of arch/x86/entry/syscalls/syscall_64.tbl and,
 * for 32-bit programs, syscall_32.tbl: a 64-bit program can make those, too.
 */
#pragma once

#include "bpf/syscall.bpf.h"
#include "bpf/vmm/records.h"

#define KS_X32 \
  0x40000000UL /* x32's calls are marked so: Debian's kernels have them, switched off */

/* What is made of a call, beyond its family. */
enum ks_call_kind {
  KS_PLAIN = 0,
  KS_PTRACE,
  KS_MAP,
  KS_PROTECT,
  KS_SOCKET,
  KS_FIRST_ID,   /* the first argument is the user that the process wants to be */
  KS_SECOND_ID,  /* the second */
  KS_FIRST_ID16, /* of 16 bits */
  KS_SECOND_ID16,
  KS_MAP_STRUCT, /* its arguments lie in memory, and the first says where */
};

struct ks_call_row {
  __u8 family; /* ks_call_family + 1; 0: none */
  __u8 kind;
};

#define ROW(family) \
  { KS_CALL_##family + 1, KS_PLAIN }

static const struct ks_call_row calls_64[KS_VMM_SYSCALLS] = {
    [105] = {KS_CALL_CREDENTIALS + 1, KS_FIRST_ID},  /* setuid */
    [113] = {KS_CALL_CREDENTIALS + 1, KS_SECOND_ID}, /* setreuid */
    [117] = {KS_CALL_CREDENTIALS + 1, KS_SECOND_ID}, /* setresuid */
    [122] = {KS_CALL_CREDENTIALS + 1, KS_FIRST_ID},  /* setfsuid */
    [9] = {0, KS_MAP},
    [10] = {0, KS_PROTECT},
    [41] = {0, KS_SOCKET},
    [329] = {0, KS_PROTECT},
    [101] = {KS_CALL_PTRACE + 1, KS_PTRACE},
    [310] = ROW(PTRACE),
    [311] = ROW(PTRACE),
    [272] = ROW(NAMESPACE), /* unshare */
    [308] = ROW(NAMESPACE), /* setns */
    [155] = ROW(MOUNT),     /* pivot_root */
    [161] = ROW(MOUNT),     /* chroot */
    [165] = ROW(MOUNT),
    [166] = ROW(MOUNT),
    [428] = ROW(MOUNT), /* open_tree */
    [429] = ROW(MOUNT),
    [430] = ROW(MOUNT),
    [431] = ROW(MOUNT),
    [432] = ROW(MOUNT),
    [433] = ROW(MOUNT),
    [467] = ROW(MOUNT),
    [442] = ROW(MOUNT),  /* mount_setattr */
    [175] = ROW(MODULE), /* init_module */
    [176] = ROW(MODULE),
    [246] = ROW(MODULE), /* kexec_load */
    [313] = ROW(MODULE),
    [320] = ROW(MODULE),
    [321] = ROW(BPF),
    [298] = ROW(PERF),
};

static const struct ks_call_row calls_32[KS_VMM_SYSCALLS] = {
    [23] = {KS_CALL_CREDENTIALS + 1, KS_FIRST_ID16},
    [70] = {KS_CALL_CREDENTIALS + 1, KS_SECOND_ID16},
    [138] = {KS_CALL_CREDENTIALS + 1, KS_FIRST_ID16},
    [164] = {KS_CALL_CREDENTIALS + 1, KS_SECOND_ID16},
    [203] = {KS_CALL_CREDENTIALS + 1, KS_SECOND_ID}, /* setreuid32 and what follows */
    [208] = {KS_CALL_CREDENTIALS + 1, KS_SECOND_ID},
    [213] = {KS_CALL_CREDENTIALS + 1, KS_FIRST_ID},
    [215] = {KS_CALL_CREDENTIALS + 1, KS_FIRST_ID},
    [192] = {0, KS_MAP}, /* mmap2 */
    [90] = {0, KS_MAP_STRUCT},
    [359] = {0, KS_SOCKET},
    [125] = {0, KS_PROTECT},
    [380] = {0, KS_PROTECT},
    [26] = {KS_CALL_PTRACE + 1, KS_PTRACE},
    [347] = ROW(PTRACE),
    [348] = ROW(PTRACE),
    [310] = ROW(NAMESPACE),
    [346] = ROW(NAMESPACE),
    [21] = ROW(MOUNT),
    [22] = ROW(MOUNT),
    [52] = ROW(MOUNT),
    [61] = ROW(MOUNT),
    [217] = ROW(MOUNT),
    [428] = ROW(MOUNT),
    [429] = ROW(MOUNT),
    [430] = ROW(MOUNT),
    [431] = ROW(MOUNT),
    [432] = ROW(MOUNT),
    [433] = ROW(MOUNT),
    [467] = ROW(MOUNT),
    [442] = ROW(MOUNT),
    [128] = ROW(MODULE),
    [129] = ROW(MODULE),
    [283] = ROW(MODULE),
    [350] = ROW(MODULE),
    [357] = ROW(BPF),
    [336] = ROW(PERF),
};

#undef ROW

struct ks_call_now {
  __u32 family; /* enum ks_call_family; KS_NO_FAMILY */
  __u32 kind;   /* enum ks_call_kind */
  __u64 arguments[4];
};
#define KS_NO_FAMILY 0xffffffffU

/* The number of a 64-bit call that does the same; x32 has some of its own. */
static __always_inline unsigned long without_x32(unsigned long number) {
  if (!(number & KS_X32)) return number;
  switch (number & ~KS_X32) {
    case 521:
      return 101; /* ptrace */
    case 528:
      return 246; /* kexec_load */
    case 539:
      return 310; /* process_vm_readv */
    case 540:
      return 311; /* process_vm_writev */
    default:
      return number & ~KS_X32;
  }
}

static __always_inline bool is_compat(void) {
  return bpf_get_current_task_btf()->thread_info.status & KS_TS_COMPAT;
}

/* The call NUMBER that the current task is about to make, REGS being what sys_enter is handed. */
static __always_inline struct ks_call_now call_now(__u64 regs_address, unsigned long number) {
  struct ks_call_now call = {.family = KS_NO_FAMILY};
  number = without_x32(number);
  if (number >= KS_VMM_SYSCALLS) return call;
  /* Most numbers mean nothing to either table. */
  if (!(calls_64[number].family | calls_64[number].kind | calls_32[number].family |
        calls_32[number].kind))
    return call;
  bool compat = is_compat();
  struct ks_call_row row = compat ? calls_32[number] : calls_64[number];
  call.family = row.family ? row.family - 1U : KS_NO_FAMILY;
  call.kind = row.kind;
  struct pt_regs* regs = (struct pt_regs*)regs_address;
  if (!compat) {
    call.arguments[0] = BPF_CORE_READ(regs, di);
    call.arguments[1] = BPF_CORE_READ(regs, si);
    call.arguments[2] = BPF_CORE_READ(regs, dx);
    call.arguments[3] = BPF_CORE_READ((struct pt_regs___r10*)regs, r10);
    return call;
  }
  call.arguments[0] = BPF_CORE_READ(regs, bx);
  call.arguments[1] = BPF_CORE_READ(regs, cx);
  call.arguments[2] = BPF_CORE_READ(regs, dx);
  call.arguments[3] = BPF_CORE_READ(regs, si);
  if (call.kind == KS_MAP_STRUCT) {
    __u32 words[4] = {};
    bpf_probe_read_user(words, sizeof(words), (void*)(call.arguments[0] & 0xffffffff));
#pragma unroll
    for (int i = 0; i < 4; i++) call.arguments[i] = words[i];
    call.kind = KS_MAP;
  }
  return call;
}

/* Whether the call makes the process another user than root: what a VMM should do. */
static __always_inline bool gives_rights_up(const struct ks_call_now* call) {
  switch (call->kind) {
    case KS_FIRST_ID:
      return (__u32)call->arguments[0] != 0;
    case KS_SECOND_ID:
      return (__u32)call->arguments[1] != 0;
    case KS_FIRST_ID16:
      return (__u16)call->arguments[0] != 0;
    case KS_SECOND_ID16:
      return (__u16)call->arguments[1] != 0;
    default:
      return false;
  }
}

/* Whether NUMBER, of a call that returned a descriptor, opened a file. */
static __always_inline bool is_open(unsigned long number) {
  switch (number & ~KS_X32) {
    case 2: /* open */
    case 85:
    case 257:
    case 304: /* open_by_handle_at */
    case 437:
      return true;
    case 5: /* open, openat and the others of 32-bit programs: fstat and accept4 of others */
    case 8:
    case 295:
    case 342:
      return is_compat();
    default:
      return false;
  }
}
