/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ioctls on vhost's files. Where the functions that serve them cannot be probed, they are seen at
 * the end of every system call of the host, and the file is looked for behind the descriptor: a
 * thread that puts another file there meanwhile goes uncounted.
 */
#pragma once

#include "bpf/vhost/queue.bpf.h"
#include "bpf/syscall.bpf.h"

#define VHOST_VIRTIO 0xaf /* include/uapi/linux/vhost.h */
#define KS_IOC_WRITE 1    /* include/uapi/asm-generic/ioctl.h: the kernel reads the argument */
#define KS_IOC_DIRECTION(command) ((command) >> 30)
/* include/uapi/asm-generic/errno.h */
#define EFAULT 14
#define EINVAL 22
#define EOPNOTSUPP 95
#define VHOST_NET_MINOR 238 /* include/linux/miscdevice.h */
#define VHOST_VSOCK_MINOR 241
#define KS_MISC_DEVICE(minor) (10U << 20 | (minor)) /* include/linux/kdev_t.h */

/* One more ioctl on the device whose first queue's row this is. What the kernel refuses are a
 * driver's wishes, as the VMM hands them on: the size of a ring that is no power of two, one that
 * is not aligned or lies in no memory of the guest's, features that nobody offered. */
static __always_inline void count_configuration(struct ks_queue_row* first, __u32 command,
                                                int result) {
  queue_add(first, KS_METER_VHOST_CONFIG, 1);
  if (KS_IOC_TYPE(command) != VHOST_VIRTIO) return;
  struct ks_vhost_vm_row* sum = vhost_vm_row(first->vm_slot, first->vm_serial);
  if (!sum) return;
  note_bit(sum->ioctls, 256, &sum->changed, command & 0xff);
  bool refused = result == -EINVAL || result == -EOPNOTSUPP || result == -EFAULT;
  /* Several that only ask have the number of one that sets. */
  if (refused && KS_IOC_DIRECTION(command) == KS_IOC_WRITE)
    note_bit(sum->refused, 256, &sum->changed, command & 0xff);
}

/* TP_PROTO(struct pt_regs *regs, long ret), include/trace/events/syscalls.h. */
#define KS_VHOST_SYS_EXIT(function, minor, handler)                                       \
  KS_FIRED(function##_sys_exit);                                                          \
  SEC("raw_tp/sys_exit") int function##_sys_exit(__u64* ctx) {                            \
    struct ks_ioctl call = ioctl_of(BPF_CORE_READ((struct pt_regs*)ctx[0], orig_ax));     \
    if (KS_IOC_TYPE(call.command) != VHOST_VIRTIO) return 0;                              \
    KS_NOTE_FIRED(function##_sys_exit);                                                   \
    struct file* file = file_at(call.fd);                                                 \
    if (!file || BPF_CORE_READ(file, f_inode, i_rdev) != KS_MISC_DEVICE(minor)) return 0; \
    __u64 arguments[] = {(__u64)file, call.command};                                      \
    handler(arguments, ctx[1], false);                                                    \
    return 0;                                                                             \
  }
