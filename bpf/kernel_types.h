/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's types, reduced to the fields that are read. CO-RE finds each field's place in the
 * running kernel's BTF, so order and size here mean nothing.
 */
#pragma once

#define KS_CORE __attribute__((preserve_access_index))

struct hlist_node {
  struct hlist_node* next;
} KS_CORE;

struct hlist_head {
  struct hlist_node* first;
} KS_CORE;

struct super_block {
  unsigned int s_dev;
  unsigned long s_flags;
  unsigned long s_magic;
} KS_CORE;

struct inode {
  unsigned short i_mode;
  unsigned int i_nlink;
  unsigned int i_rdev;
  unsigned long i_ino;
  unsigned int i_generation;
  long long i_size;
  struct super_block* i_sb;
} KS_CORE;

struct rb_node {
  struct rb_node* rb_right;
  struct rb_node* rb_left;
} KS_CORE;

struct rb_root {
  struct rb_node* rb_node;
} KS_CORE;

struct rb_root_cached {
  struct rb_root rb_root;
} KS_CORE;

struct address_space {
  struct rb_root_cached i_mmap;
} KS_CORE;

struct qstr {
  const unsigned char* name;
} KS_CORE;

struct dentry {
  struct qstr d_name;
} KS_CORE;

struct vfsmount;

struct path {
  struct vfsmount* mnt;
  struct dentry* dentry;
} KS_CORE;

struct file {
  struct path f_path;
  struct inode* f_inode;
  struct address_space* f_mapping;
  unsigned int f_mode;
  unsigned int f_flags;
  void* private_data;
} KS_CORE;

struct fdtable {
  unsigned int max_fds;
  struct file** fd;
} KS_CORE;

struct files_struct {
  struct fdtable* fdt;
} KS_CORE;

struct thread_info {
  __u32 status; /* TS_COMPAT */
} KS_CORE;

struct mm_struct;

struct task_struct {
  struct thread_info thread_info;
  int pid;
  int tgid;
  struct mm_struct* mm;
  struct files_struct* files;
  struct hlist_head preempt_notifiers;
} KS_CORE;

struct pt_regs {
  unsigned long bx;
  unsigned long cx;
  unsigned long ax;
  unsigned long dx;
  unsigned long si;
  unsigned long di;
  unsigned long orig_ax;
} KS_CORE;

typedef struct {
  int counter;
} atomic_t;

typedef struct refcount_struct {
  atomic_t refs;
} KS_CORE refcount_t;

struct interval_tree_node {
  struct rb_node rb;
  unsigned long start;
  unsigned long last;
  unsigned long __subtree_last;
} KS_CORE;

struct kvm_memslots {
  struct rb_root_cached hva_tree; /* since Linux 5.17 */
} KS_CORE;

struct kvm_hv {
  __u64 hv_guest_os_id; /* 0: the guest does not speak Hyper-V's language */
} KS_CORE;

struct kvm_arch {
  __u64 cur_tsc_generation;
  __u32 nr_vcpus_matched_tsc;
  struct kvm_hv hyperv;
} KS_CORE;

struct kvm {
  int userspace_pid;
  atomic_t online_vcpus;
  struct mm_struct* mm;
  struct kvm_memslots* memslots[1];
  refcount_t users_count;
  struct kvm_arch arch;
} KS_CORE;

struct preempt_notifier {
  struct hlist_node link;
} KS_CORE;

typedef struct {
  __s64 counter;
} atomic_long_t;

struct mutex {
  atomic_long_t owner; /* absent with PREEMPT_RT */
} KS_CORE;

enum kvm_reg { VCPU_EXREG_CR3, VCPU_EXREG_SEGMENTS }; /* values are the running kernel's */

enum kvm_reg___renamed { VCPU_REG_CR3, VCPU_REG_SEGMENTS }; /* in Linux 7.3 */

struct kvm_vcpu_arch {
  unsigned long regs[16]; /* and RIP, up to Linux 7.2 */
  __u32 regs_avail;
  unsigned long cr0;
  unsigned long cr3;
  unsigned long cr4;
  __u64 efer;
  bool guest_state_protected;
} KS_CORE;

struct kvm_vcpu_arch___bitmap { /* in Linux 7.3 */
  unsigned long rip;
  unsigned long regs_avail[1];
} KS_CORE;

struct kvm_dirty_ring {
  __u32 dirty_index;
} KS_CORE;

struct kvm_device {
  struct kvm* kvm;
} KS_CORE;

struct kvm_kernel_irq_routing_entry {
  __u32 type; /* KVM_IRQ_ROUTING_... of include/uapi/linux/kvm.h */
} KS_CORE;

struct kvm_vcpu {
  struct kvm* kvm;
  struct kvm_dirty_ring dirty_ring; /* since Linux 5.11 */
  struct preempt_notifier preempt_notifier;
  int vcpu_idx;
  struct mutex mutex;
  struct kvm_vcpu_arch arch;
} KS_CORE;

/* AMD's, of the module kvm_amd. */
struct vmcb_control_area {
  __u32 exit_code;
} KS_CORE;

struct vmcb_save_area {
  __u64 lstar;
  __u8 cpl;
  __u64 cr3;
  __u64 cr0;
  __u64 rip;
} KS_CORE;

struct vmcb {
  struct vmcb_control_area control;
  struct vmcb_save_area save;
} KS_CORE;

struct kvm_vmcb_info {
  struct vmcb* ptr;
} KS_CORE;

struct vcpu_svm {
  struct kvm_vcpu vcpu;
  struct vmcb* vmcb;
  struct kvm_vmcb_info vmcb01; /* since Linux 5.13 */
} KS_CORE;

/* Intel's, of the module kvm_intel. */
union vmx_exit_reason {
  __u32 full;
} KS_CORE;

enum { VCPU_SREG_SS = 2 }; /* arch/x86/include/asm/kvm_host.h */
enum segment_cache_field { SEG_FIELD_AR = 3, SEG_FIELD_NR = 4 }; /* arch/x86/kvm/vmx/vmx.c */

struct kvm_save_segment {
  __u32 ar;
} KS_CORE;

struct vcpu_vmx {
  struct kvm_vcpu vcpu;
  struct {
    __u32 bitmask;
    struct kvm_save_segment seg[8];
  } segment_cache;
  union vmx_exit_reason exit_reason;
} KS_CORE;

struct vmx_uret_msr {
  __u64 data;
} KS_CORE;

struct vcpu_vmx___msrs {
  struct vmx_uret_msr guest_uret_msrs[7]; /* since Linux 5.11 */
} KS_CORE;

struct vcpu_vt { /* arch/x86/kvm/vmx/common.h */
  union vmx_exit_reason exit_reason;
} KS_CORE;

struct vcpu_vmx___vt { /* since Linux 6.15 */
  struct vcpu_vt vt;
} KS_CORE;

struct seq_file;

struct bpf_iter_meta {
  struct seq_file* seq;
} KS_CORE;

struct bpf_iter__task_file {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
  __u32 fd;
  struct file* file;
} KS_CORE;
