/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a struct file is. KVM's files are anonymous inodes named "kvm-vm", "kvm-vcpu:N" and, of the
 * only device that x86 has, "kvm-vfio" (virt/kvm/kvm_main.c, vfio.c); their operations cannot be
 * compared, being a data symbol of a module. A name alone proves nothing, for any file can have it:
 * the file system must be the anonymous one, where only the kernel makes files.
 */
#pragma once

#include "bpf/common.bpf.h"
#include "bpf/kvm/records.h"

#define ANON_INODE_FS_MAGIC 0x09041934 /* include/uapi/linux/magic.h */

struct ks_file_name {
  char text[16]; /* what follows "kvm-"; empty for all but KVM's */
};

static __always_inline struct ks_file_name kvm_file_name(struct file* file) {
  struct ks_file_name name = {};
  if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != ANON_INODE_FS_MAGIC) return name;
  char prefix[4] = {};
  const unsigned char* text = BPF_CORE_READ(file, f_path.dentry, d_name.name);
  bpf_probe_read_kernel(prefix, sizeof(prefix), text);
  if (prefix[0] != 'k' || prefix[1] != 'v' || prefix[2] != 'm' || prefix[3] != '-') return name;
  bpf_probe_read_kernel_str(name.text, sizeof(name.text), text + sizeof(prefix));
  return name;
}

/* enum ks_file_kind, 0 for any other file. */
static __always_inline __u32 kvm_file_kind(struct file* file) {
  struct ks_file_name name = kvm_file_name(file);
  const char* text = name.text;
  if (text[0] == 'v' && text[1] == 'm' && text[2] == 0) return KS_FILE_VM;
  if (text[0] == 'v' && text[1] == 'c' && text[2] == 'p' && text[3] == 'u' && text[4] == ':')
    return KS_FILE_VCPU;
  return 0;
}

static __always_inline bool is_kvm_device(struct file* file) {
  struct ks_file_name name = kvm_file_name(file);
  const char* text = name.text;
  return text[0] == 'v' && text[1] == 'f' && text[2] == 'i' && text[3] == 'o' && text[4] == 0;
}
