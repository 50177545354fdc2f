/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a struct file is. KVM's files are anonymous inodes named "kvm-vm" and "kvm-vcpu:N"
 * (virt/kvm/kvm_main.c); their operations cannot be compared, being a data symbol of a module. A
 * name alone proves nothing, for any file can have it: the file system must be the anonymous one,
 * where only the kernel makes files.
 */
#pragma once

#include "bpf/common.bpf.h"

#define ANON_INODE_FS_MAGIC 0x09041934 /* include/uapi/linux/magic.h */

/* enum ks_file_kind, 0 for any other file. */
static __always_inline __u32 kvm_file_kind(struct file* file) {
  if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != ANON_INODE_FS_MAGIC) return 0;
  char name[16] = {};
  const unsigned char* text = BPF_CORE_READ(file, f_path.dentry, d_name.name);
  if (bpf_probe_read_kernel_str(name, sizeof(name), text) < 0) return 0;
  if (name[0] != 'k' || name[1] != 'v' || name[2] != 'm' || name[3] != '-' || name[4] != 'v')
    return 0;
  if (name[5] == 'm' && name[6] == 0) return KS_FILE_VM;
  if (name[5] == 'c' && name[6] == 'p' && name[7] == 'u' && name[8] == ':') return KS_FILE_VCPU;
  return 0;
}
