/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the walks over open files hand to user space: a part of the contract of bpf/kvm/records.h.
 */
#pragma once

#include "bpf/types.h"

/* ---- inventory: one element of the walk over all open files --------------------------------- */

enum ks_file_kind {
  KS_FILE_VM = 1,
  KS_FILE_VCPU = 2,
};

struct ks_open_file {
  uint64_t kvm;  /* address of the struct kvm behind it */
  uint64_t vcpu; /* address of the struct kvm_vcpu; 0 for a VM's file */
  uint32_t tgid;
  uint32_t fd;
  uint32_t creator_pid; /* kvm->userspace_pid */
  uint32_t kind;        /* enum ks_file_kind */
};
KS_STATIC_ASSERT(sizeof(struct ks_open_file) == 32);

/* ---- inventory: one element of the walk over the open files of one process ------------------- */

enum ks_device_kind {
  KS_DEVICE_VM = 1,    /* a file of a VM or a vCPU, which proves that the process is a VMM */
  KS_DEVICE_MISC,      /* a miscellaneous character device: /dev/net/tun, /dev/vhost-net, ... */
  KS_DEVICE_FILE,      /* a regular file */
  KS_DEVICE_BLOCK,     /* a block device */
  KS_DEVICE_IOEVENTFD, /* not a file: where KVM tells the VMM of writes by an eventfd */
};

/* Where an ioeventfd is; the others of enum kvm_bus are other architectures'. */
enum ks_bus {
  KS_BUS_MMIO = 0, /* as in include/linux/kvm_host.h */
  KS_BUS_PORTS,
};

enum ks_device_flags {
  KS_DEVICE_READ = 1, /* open for reading */
  KS_DEVICE_WRITE = 2,
  KS_DEVICE_APPEND = 4,
  KS_DEVICE_UNLINKED = 8,  /* it has no name any more, or never had one */
  KS_DEVICE_INTERNAL = 16, /* on a file system where nothing has a name, as memfd and guest_memfd */
  KS_DEVICE_MAPPED = 32,   /* some process has mapped it */
};

/* Longer than the paths of libvirt, OpenStack and KubeVirt, and no more than a program's stack has.
 */
#define KS_PATH_BYTES 256

/* Device numbers are the kernel's: major << 20 | minor. */
struct ks_open_device {
  uint64_t object;    /* what the driver keeps, file->private_data: of a tap its struct tun_file;
                       * of a VM's file the id of the process's cgroup in the unified hierarchy;
                       * of an ioeventfd the address or port */
  uint64_t interface; /* of a tap: the struct tun_struct that it is attached to; 0: not known */
  uint64_t inode;     /* its number within the file system */
  uint64_t size;      /* of an ioeventfd in bytes, 0: a write of any size */
  uint64_t fs_magic;
  uint32_t fs_device; /* of the file system */
  uint32_t device;    /* of a character or block device itself; else 0 */
  uint32_t tgid;
  uint32_t fd;
  uint32_t kind;    /* enum ks_device_kind */
  uint32_t flags;   /* enum ks_device_flags; of an ioeventfd enum ks_bus */
  char tap[16];     /* the interface's name; empty where it is not known, and for all others */
  uint32_t ifindex; /* of a tap; 0 where it is not known */
  uint32_t net_ns;  /* the number of the network namespace that the interface is in now */
  /* Of a file: tells it from another that has its number later; 0: not known. */
  uint32_t generation;
  uint32_t padding;
  char path[KS_PATH_BYTES]; /* of a disk, as the reader would see it; empty where it is longer */
};
KS_STATIC_ASSERT(__builtin_offsetof(struct ks_open_device, fs_device) == 40);
KS_STATIC_ASSERT(sizeof(struct ks_open_device) == 96 + KS_PATH_BYTES);
