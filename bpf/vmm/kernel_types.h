/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's types that only the source vmm reads, as in bpf/kernel_types.h. What that declares
 * with other fields is declared again with a suffix, which CO-RE ignores. */
#pragma once

#include "bpf/kernel_types.h"

struct mm_struct {
  struct file* exe_file;
  unsigned long start_stack;
  unsigned long arg_start;
  unsigned long arg_end;
} KS_CORE;

struct anon_vma;

struct vm_area_struct {
  unsigned long vm_start;
  unsigned long vm_end;
  unsigned long vm_flags;
  struct anon_vma* anon_vma;
  struct file* vm_file;
} KS_CORE;

struct kvm_memory_slot {
  __u64 base_gfn;
  unsigned long npages;
  unsigned long userspace_addr;
} KS_CORE;

struct userfaultfd_ctx {
  struct mm_struct* mm;
} KS_CORE;

struct signal_struct {
  atomic_t live;
} KS_CORE;

struct seccomp {
  int mode;
} KS_CORE;

struct nsproxy;

struct task_struct___vmm {
  int exit_code;
  struct signal_struct* signal;
  struct nsproxy* nsproxy;
  struct seccomp seccomp;
  unsigned int flags;
  unsigned int personality;
  struct task_struct___vmm* group_leader;
  struct task_struct* real_parent;
  const struct cred* cred;
  __u64 start_boottime;
} KS_CORE;

struct kuid {
  __u32 val;
};

struct kgid {
  __u32 val;
};

struct inode___owner {
  struct kuid i_uid;
  struct kgid i_gid;
} KS_CORE;

struct cred {
  struct kuid euid;
  struct kuid fsuid;
} KS_CORE;

struct linux_binprm {
  const char* filename;
} KS_CORE;

struct kernel_siginfo {
  int si_code;
} KS_CORE;

struct xarray {
  void* xa_head;
} KS_CORE;

struct xa_node {
  void* slots[1];
} KS_CORE;

struct kvm___vcpus {
  struct xarray vcpu_array;
} KS_CORE;

struct pid;

struct kvm_vcpu___run {
  struct pid* pid; /* of the thread that ran it last; NULL before the first KVM_RUN */
} KS_CORE;

/* ---- sockets -------------------------------------------------------------------------------- */

#define KS_AF_UNSPEC 0
#define KS_AF_INET 2 /* include/linux/socket.h */
#define KS_AF_INET6 10

struct in6_addr {
  __u8 bytes[16];
};

struct sock_common {
  unsigned short skc_family;
  __u32 skc_daddr;
  __u32 skc_rcv_saddr;
  __u16 skc_dport; /* in network order */
  __u16 skc_num;   /* in the host's */
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
} KS_CORE;

struct upid {
  int nr;
} KS_CORE;

struct pid___vmm {
  struct hlist_head tasks[2]; /* by enum pid_type: PIDTYPE_TGID is 1 */
  struct upid numbers[1];
} KS_CORE;

struct sock {
  struct sock_common __sk_common;
  struct pid* sk_peer_pid;
} KS_CORE;

struct msghdr {
  void* msg_name; /* an address in the kernel's memory */
  int msg_namelen;
} KS_CORE;

struct sockaddr_un {
  char sun_path[1];
} KS_CORE;

struct unix_address {
  int len;
  struct sockaddr_un name[1];
} KS_CORE;

struct unix_sock {
  struct unix_address* addr;
} KS_CORE;

/* ---- files ---------------------------------------------------------------------------------- */

struct dentry___inode {
  struct inode* d_inode;
} KS_CORE;

struct dentry___parent {
  struct dentry* d_parent;
} KS_CORE;

struct vfsmount {
  struct dentry* mnt_root;
} KS_CORE;

struct mount {
  struct mount* mnt_parent; /* of the topmost itself */
  struct dentry* mnt_mountpoint;
  struct vfsmount mnt;
} KS_CORE;

struct renamedata {
  struct dentry* old_dentry;
  struct dentry* new_dentry;
} KS_CORE;

struct pt_regs___r10 {
  unsigned long r10;
} KS_CORE;

struct iattr {
  unsigned int ia_valid;
} KS_CORE;
