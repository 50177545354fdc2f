/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an open file is, as far as it matters to VMs. Every open of the host comes here, so most
 * files leave after the type of their inode. READ is how fields are read: KS_TYPED where the
 * verifier knows the types of the pointers, which are plain loads then, BPF_CORE_READ elsewhere.
 */
#pragma once

#include "bpf/kvm/records.h"
#include "bpf/kvm/vms.bpf.h"
#include "bpf/vmm/kernel_types.h"

#define KS_S_IFMT 0170000 /* include/uapi/linux/stat.h */
#define KS_S_IFBLK 0060000
#define KS_S_IFCHR 0020000
#define KS_S_IFREG 0100000
#define KS_S_IROTH 04
#define KS_MEM_DEVICE(minor) (1U << 20 | (minor)) /* include/linux/kdev_t.h */

#define KS_TYPED(pointer, field) ((pointer)->field)

struct ks_opened {
  struct ks_owner_key key; /* kind 0: it can be no image */
  __u64 magic;             /* of its file system */
  __u32 mode;              /* file.f_mode */
  __u32 generation;        /* of its inode */
  bool is_memory;
  bool is_private; /* a file that not everybody may read */
};

/* /dev/mem, kmem and port, Documentation/admin-guide/devices.txt. */
static __always_inline bool is_memory_device(__u32 device) {
  return device == KS_MEM_DEVICE(1) || device == KS_MEM_DEVICE(2) || device == KS_MEM_DEVICE(4);
}

/* File systems through which the kernel is set and asked: include/uapi/linux/magic.h. */
static __always_inline bool is_kernel_fs(__u64 magic) {
  switch (magic) {
    case 0x9fa0:     /* proc */
    case 0x62656572: /* sysfs */
    case 0x27e0eb:   /* cgroup */
    case 0x63677270: /* cgroup2 */
    case 0x64626720: /* debugfs */
    case 0x74726163: /* tracefs */
    case 0x73636673: /* securityfs */
    case 0x62656570: /* configfs */
    case 0xcafe4a11: /* bpf */
    case 0xde5e81e4: /* efivarfs */
      return true;
    default:
      return false;
  }
}

/* Who has the file KEY. Until the next walk user space may mean one that had its number before:
 * GENERATION is this one's. */
static __always_inline const struct ks_owner* owner_of_file(const struct ks_owner_key* key,
                                                            __u32 generation) {
  const struct ks_owner* found = bpf_map_lookup_elem(&owners, key);
  if (!found || !found->incarnation) return found;
  return found->incarnation == (__u16)generation ? found : 0;
}

/* KEY of the image that INODE is, and its GENERATION; KEY's kind stays 0 where it can be none. */
#define KS_READ_IMAGE_KEY(key, generation, inode, READ) \
  do {                                                  \
    __u32 type = READ(inode, i_mode) & KS_S_IFMT;       \
    if (type == KS_S_IFREG) {                           \
      struct super_block* fs = READ(inode, i_sb);       \
      (key).kind = KS_OWNER_FILE;                       \
      (key).id[0] = READ(fs, s_dev);                    \
      (key).id[1] = READ(inode, i_ino);                 \
      (generation) = READ(inode, i_generation);         \
    } else if (type == KS_S_IFBLK) {                    \
      (key).kind = KS_OWNER_FILE;                       \
      (key).id[0] = READ(inode, i_rdev);                \
    }                                                   \
  } while (0)

/* OPENED, of FILE. */
#define KS_READ_OPENED(opened, file, READ)                             \
  do {                                                                 \
    struct inode* inode = READ(file, f_inode);                         \
    (opened).mode = READ(file, f_mode);                                \
    KS_READ_IMAGE_KEY((opened).key, (opened).generation, inode, READ); \
    if ((opened).key.kind) {                                           \
      struct super_block* of = READ(inode, i_sb);                      \
      (opened).magic = READ(of, s_magic);                              \
      (opened).is_private = !(READ(inode, i_mode) & KS_S_IROTH);       \
    } else if ((READ(inode, i_mode) & KS_S_IFMT) == KS_S_IFCHR) {      \
      (opened).is_memory = is_memory_device(READ(inode, i_rdev));      \
    }                                                                  \
  } while (0)
