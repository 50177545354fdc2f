/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * System calls of ioctl, by any entry of x86: the 64-bit one, that of 32-bit programs (int 0x80 in
 * a 64-bit program is one of these), and x32's. A number alone says nothing: 54 is ioctl to 32-bit
 * programs and setsockopt to others.
 */
#pragma once

#include "bpf/common.bpf.h"

#define KS_NR_IOCTL 16                       /* arch/x86/entry/syscalls/syscall_64.tbl */
#define KS_NR_IOCTL_X32 (0x40000000UL | 514) /* the same */
#define KS_NR_IOCTL_COMPAT 54                /* syscall_32.tbl */
#define KS_TS_COMPAT 2                       /* arch/x86/include/asm/thread_info.h */

#define KS_IOC_TYPE(command) ((command) >> 8 & 0xff) /* include/uapi/asm-generic/ioctl.h */
#define KS_IOC_NR(command) ((command)&0xff)

struct ks_ioctl {
  __u32 fd;
  __u32 command; /* 0 where it is no ioctl */
};

/* The ioctl that the current task is in, from the registers it entered the kernel with; they lie on
 * the kernel's stack, out of reach of the process's other threads. For hooks inside an ioctl. */
static __always_inline struct ks_ioctl current_ioctl(void) {
  struct task_struct* task = bpf_get_current_task_btf();
  struct pt_regs* regs = (struct pt_regs*)bpf_task_pt_regs(task);
  if (task->thread_info.status & KS_TS_COMPAT) return (struct ks_ioctl){regs->bx, regs->cx};
  return (struct ks_ioctl){regs->di, regs->si};
}

/* The same for hooks at any system call's beginning or end, of which NUMBER is the number. */
static __always_inline struct ks_ioctl ioctl_of(unsigned long number) {
  bool compat = number == KS_NR_IOCTL_COMPAT;
  if (!compat && number != KS_NR_IOCTL && number != KS_NR_IOCTL_X32) return (struct ks_ioctl){0, 0};
  if (!(bpf_get_current_task_btf()->thread_info.status & KS_TS_COMPAT) == compat)
    return (struct ks_ioctl){0, 0};
  return current_ioctl();
}

/* The open file behind a descriptor of the current task; NULL where there is none. Another thread
 * may put another file there at any time. */
static __always_inline struct file* file_at(__u32 fd) {
  struct fdtable* table = bpf_get_current_task_btf()->files->fdt;
  struct file* file = 0;
  if (fd < table->max_fds) bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
  return file;
}
