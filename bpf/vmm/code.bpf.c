/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Memory that a VM's processes make executable once the guest runs, by where its code comes from.
 */
#include "bpf/vmm/act.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/syscall.bpf.h"
#include "bpf/vmm/calls.bpf.h"

KS_LICENSE;

#define KS_PROT_READ 1 /* include/uapi/asm-generic/mman-common.h */
#define KS_PROT_WRITE 2
#define KS_PROT_EXEC 4
#define KS_MAP_ANONYMOUS 0x20
#define KS_READ_IMPLIES_EXEC 0x0400000 /* include/uapi/linux/personality.h */
#define KS_S_IWGRP 020                 /* include/uapi/linux/stat.h */
#define KS_S_IWOTH 02
#define KS_TMPFS_MAGIC 0x01021994 /* include/uapi/linux/magic.h */
#define KS_HUGETLBFS_MAGIC 0x958458f6

/* The row to note it in that the current process makes memory with PROTECTION; NULL for most of the
 * host's. */
static __always_inline struct ks_vmm_vm_row* row_for_code(__u64 protection,
                                                          struct ks_owner* owner) {
  return protection & KS_PROT_EXEC ? acting_row(owner, KS_ROLE_OWN) : 0;
}

static __always_inline void note_code(struct ks_vmm_vm_row* row, const struct ks_owner* owner,
                                      __u32 code) {
  note_member(row, owner, KS_ACT_CODE, &row->code, 64, code);
}

/* Shared memory, memfds and what has no name any more. Where the system itself lies in memory,
 * files beside the program are as good as any. */
static __always_inline bool lies_in_memory(struct file* file) {
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  if (!BPF_CORE_READ(inode, i_nlink)) return true;
  struct super_block* fs = BPF_CORE_READ(inode, i_sb);
  __u64 magic = BPF_CORE_READ(fs, s_magic);
  if (magic != KS_TMPFS_MAGIC && magic != KS_HUGETLBFS_MAGIC) return false;
  struct mm_struct* mm = bpf_get_current_task_btf()->mm;
  return fs != BPF_CORE_READ(mm, exe_file, f_inode, i_sb);
}

/* Whether others than root and the owner of the process's program may have written FILE: what is
 * installed beside a program is its owner's, what an attacker leaves on disk is not. */
static __always_inline bool is_untrusted(struct file* file) {
  struct mm_struct* mm = bpf_get_current_task_btf()->mm;
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  struct inode* program = BPF_CORE_READ(mm, exe_file, f_inode);
  __u32 mode = BPF_CORE_READ(inode, i_mode);
  __u32 group = BPF_CORE_READ((struct inode___owner*)inode, i_gid.val);
  __u32 user = BPF_CORE_READ((struct inode___owner*)inode, i_uid.val);
  bool of_its_group = group == BPF_CORE_READ((struct inode___owner*)program, i_gid.val);
  if (mode & KS_S_IWOTH || (mode & KS_S_IWGRP && group && !of_its_group)) return true;
  return user && user != BPF_CORE_READ((struct inode___owner*)program, i_uid.val);
}

static __always_inline __u32 code_of(__u64 protection, struct file* file) {
  if (protection & KS_PROT_WRITE) return KS_CODE_WRITABLE;
  if (!file) return KS_CODE_ANONYMOUS;
  if (lies_in_memory(file)) return KS_CODE_MEMORY;
  return is_untrusted(file) ? KS_CODE_UNTRUSTED : KS_CODE_FILE;
}

/* The kernel adds PROT_EXEC for who asked for that (personality(2)), after it asked its modules. */
static __always_inline __u64 with_implied(__u64 protection) {
  struct task_struct___vmm* task = (void*)bpf_get_current_task_btf();
  bool implied = BPF_CORE_READ(task, personality) & KS_READ_IMPLIES_EXEC;
  return protection & KS_PROT_READ && implied ? protection | KS_PROT_EXEC : protection;
}

/* int security_mmap_file(struct file *file, unsigned long prot, unsigned long flags),
 * security/security.c */
static __always_inline void on_map(const __u64* arguments, bool typed) {
  (void)typed;
  __u64 protection = with_implied(arguments[1]);
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = row_for_code(protection, &owner);
  if (row) note_code(row, &owner, code_of(protection, (struct file*)arguments[0]));
}
KS_FUNCTION_ENTRY(security_mmap_file, on_map)

struct mapping {
  __u64 protection;
  __u32 code;
};

/* Pages of a private mapping of a file that were written to are anonymous. */
static long classify(struct task_struct* task, struct vm_area_struct* vma, struct mapping* found) {
  __u64 stack = BPF_CORE_READ(task, mm, start_stack);
  struct file* file = BPF_CORE_READ(vma, vm_file);
  found->code = code_of(found->protection, file);
  bool of_file = found->code == KS_CODE_FILE || found->code == KS_CODE_UNTRUSTED;
  if (of_file && BPF_CORE_READ(vma, anon_vma)) found->code = KS_CODE_MODIFIED;
  if (BPF_CORE_READ(vma, vm_start) <= stack && stack < BPF_CORE_READ(vma, vm_end))
    found->code = KS_CODE_STACK;
  return 0;
}

/* int security_file_mprotect(struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot)
 */
static __always_inline void on_protect(const __u64* arguments, bool typed) {
  (void)typed;
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = row_for_code(arguments[2], &owner);
  if (!row) return;
  struct mapping found = {.protection = arguments[2]};
  classify(bpf_get_current_task_btf(), (struct vm_area_struct*)arguments[0], &found);
  note_code(row, &owner, found.code);
}
KS_FUNCTION_ENTRY(security_file_mprotect, on_protect)

KS_FIRED(security_mmap_file_sys_enter);
SEC("raw_tp/sys_enter") int security_mmap_file_sys_enter(__u64* ctx) {
  struct ks_call_now call = call_now(ctx[0], ctx[1]);
  if (call.kind != KS_MAP && call.kind != KS_PROTECT) return 0;
  KS_NOTE_FIRED(security_mmap_file_sys_enter);
  __u64 protection = with_implied(call.arguments[2]);
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = row_for_code(protection, &owner);
  if (!row) return 0;
  struct mapping found = {.protection = protection, .code = KS_CODE_FILE};
  if (call.kind == KS_PROTECT) {
    found.code = code_of(protection, 0);
    bpf_find_vma(bpf_get_current_task_btf(), call.arguments[0], classify, &found, 0);
  } else if (call.arguments[3] & KS_MAP_ANONYMOUS || protection & KS_PROT_WRITE) {
    found.code = code_of(protection, 0);
  }
  note_code(row, &owner, found.code);
  return 0;
}
