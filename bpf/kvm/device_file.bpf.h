/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What an open file of a VMM may be to its VM. Told here are facts, by the type and the number of
 * the inode and never by a name that anyone may choose; which of them are devices is decided in
 * user space (sensor/inventory/device.h).
 */
#pragma once

#include "bpf/common.bpf.h"
#include "bpf/kvm/place_types.h"
#include "bpf/kvm/records.h"

#define KS_S_IFMT 0170000 /* include/uapi/linux/stat.h */
#define KS_S_IFREG 0100000
#define KS_S_IFBLK 0060000
#define KS_S_IFCHR 0020000
#define KS_FMODE_READ 0x1 /* include/linux/fs.h */
#define KS_FMODE_WRITE 0x2
#define KS_FMODE_PATH 0x4000
#define KS_O_APPEND 02000
#define KS_SB_NOUSER (1UL << 31)
#define KS_MINOR_BITS 20 /* include/linux/kdev_t.h */
#define KS_MISC_MAJOR 10 /* include/uapi/linux/major.h */
#define KS_TUN_MINOR 200 /* include/linux/miscdevice.h */

/* The interface that a file of /dev/net/tun is attached to; false where it is to none. Where the
 * module was loaded after this program, its types are not known: name and interface stay empty. */
static __always_inline bool describe_tap(struct file* file, struct ks_open_device* found) {
  if (!bpf_core_type_exists(struct tun_file) || !bpf_core_type_exists(struct tun_struct))
    return true;
  struct tun_file* tap = (struct tun_file*)found->object;
  if (BPF_CORE_READ(tap, socket.file) != file) return false; /* no tun_file after all */
  struct tun_struct* tun = BPF_CORE_READ(tap, tun);
  if (!tun) return false;
  found->interface = (__u64)tun;
  struct net_device* device = BPF_CORE_READ(tun, dev);
  bpf_core_read_str(found->tap, sizeof(found->tap), &device->name);
  found->ifindex = BPF_CORE_READ(device, ifindex);
  found->net_ns = BPF_CORE_READ(device, nd_net.net, ns.inum);
  return true;
}

static __always_inline __u32 device_flags(struct file* file, struct inode* inode, __u32 mode) {
  __u32 flags = mode & (KS_FMODE_READ | KS_FMODE_WRITE); /* the values of READ and WRITE */
  if (BPF_CORE_READ(file, f_flags) & KS_O_APPEND) flags |= KS_DEVICE_APPEND;
  if (BPF_CORE_READ(inode, i_nlink) == 0) flags |= KS_DEVICE_UNLINKED;
  if (BPF_CORE_READ(inode, i_sb, s_flags) & KS_SB_NOUSER) flags |= KS_DEVICE_INTERNAL;
  if (BPF_CORE_READ(file, f_mapping, i_mmap.rb_root.rb_node)) flags |= KS_DEVICE_MAPPED;
  return flags;
}

/* False where FILE can be no device. */
static __always_inline bool describe_device_file(struct file* file, struct ks_open_device* found) {
  __u32 mode = BPF_CORE_READ(file, f_mode);
  if (mode & KS_FMODE_PATH) return false; /* it names a file, but nothing was opened */
  struct inode* inode = BPF_CORE_READ(file, f_inode);
  __u32 type = BPF_CORE_READ(inode, i_mode) & KS_S_IFMT;
  if (type == KS_S_IFCHR) {
    found->kind = KS_DEVICE_MISC;
  } else if (type == KS_S_IFREG) {
    found->kind = KS_DEVICE_FILE;
  } else if (type == KS_S_IFBLK) {
    found->kind = KS_DEVICE_BLOCK;
  } else {
    return false;
  }
  found->device = type == KS_S_IFREG ? 0 : BPF_CORE_READ(inode, i_rdev);
  if (type == KS_S_IFCHR && found->device >> KS_MINOR_BITS != KS_MISC_MAJOR) return false;
  found->object = (__u64)BPF_CORE_READ(file, private_data);
  found->inode = BPF_CORE_READ(inode, i_ino);
  if (type == KS_S_IFREG) found->generation = BPF_CORE_READ(inode, i_generation);
  found->size = BPF_CORE_READ(inode, i_size);
  found->fs_magic = BPF_CORE_READ(inode, i_sb, s_magic);
  found->fs_device = BPF_CORE_READ(inode, i_sb, s_dev);
  found->flags = device_flags(file, inode, mode);
  if (found->device == (KS_MISC_MAJOR << KS_MINOR_BITS | KS_TUN_MINOR))
    return describe_tap(file, found);
  return true;
}
