/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ioctls on VFIO, by which a VMM hands the host's devices to its guest, and the guest's memory to
 * the devices. A VFIO file names no VM: it is the VM of the process that asks, if it has only one.
 */
#include "bpf/vfio/maps.bpf.h"
/* after the maps that they count in: */
#include "bpf/function.bpf.h"
#include "bpf/kvm/kvm_file.bpf.h"
#include "bpf/kvm/owner.bpf.h"
#include "bpf/meter.bpf.h"
#include "bpf/syscall.bpf.h"

KS_LICENSE;

#define VFIO_TYPE 0x3b /* include/uapi/linux/vfio.h */
#define VFIO_BASE 100
#define VFIO_LAST_OF_GROUP 106
#define VFIO_LAST 0x7f    /* from 0x80 on they are iommufd's */
#define MISC_MAJOR 10     /* include/uapi/linux/major.h */
#define KS_S_IFMT 0170000 /* include/uapi/linux/stat.h */
#define KS_S_IFCHR 0020000

static __noinline int count_vfio(__u32 command, bool device) {
  if (KS_IOC_TYPE(command) != VFIO_TYPE) return 0;
  __u64 mm = (__u64)bpf_get_current_task_btf()->mm;
  struct ks_owner owner = {};
  int found = mm ? find_owner(mm, 0, &owner) : KS_NO_VM;
  if (found == KS_ONE_OF_SEVERAL) KS_LOSE(vfio_unattributed);
  if (found == KS_NO_VM) KS_LOSE(vfio_without_vm);
  if (found != KS_OWNED) return 0;
  struct ks_vfio_vm_row* row = vfio_vm_row(owner.slot, owner.serial);
  if (!row) {
    KS_LOSE(row_lookup);
    return 0;
  }
  shared_add(&row->meters[KS_METER_VFIO_IOCTL], KS_METER_VFIO_IOCTL, 1, owner.slot, 0);
  note_bit(row->ioctls, KS_VFIO_KINDS * 256, &row->changed,
           KS_IOCTL_MEMBER(device ? KS_VFIO_DEVICE : KS_VFIO_CONTAINER, command & 0xff));
  return 0;
}

/* long vfio_fops_unl_ioctl(struct file *filep, unsigned int cmd, unsigned long arg), and the same
 * of groups and devices, drivers/vfio; 32-bit programs come here, too. */
static __always_inline void on_container(const __u64* arguments, bool typed) {
  (void)typed;
  count_vfio(arguments[1], false);
}
KS_FUNCTION_ENTRY(vfio_fops_unl_ioctl, on_container)
KS_FUNCTION_ENTRY(vfio_group_fops_unl_ioctl, on_container)

static __always_inline void on_device(const __u64* arguments, bool typed) {
  (void)typed;
  count_vfio(arguments[1], true);
}
KS_FUNCTION_ENTRY(vfio_device_fops_unl_ioctl, on_device)

/* By the command alone on a character device, or on a file that only the kernel makes (a device got
 * from its group): no other driver has commands of this type and these numbers
 * (Documentation/userspace-api/ioctl/ioctl-number.rst). Containers are a misc device; a group has
 * few commands, so a device opened by itself is told by the others. */
KS_FIRED(vfio_device_fops_unl_ioctl_sys_enter);
SEC("raw_tp/sys_enter") int vfio_device_fops_unl_ioctl_sys_enter(__u64* ctx) {
  struct ks_ioctl call = ioctl_of(ctx[1]);
  __u32 number = KS_IOC_NR(call.command);
  if (KS_IOC_TYPE(call.command) != VFIO_TYPE || number < VFIO_BASE || number > VFIO_LAST) return 0;
  KS_NOTE_FIRED(vfio_device_fops_unl_ioctl_sys_enter);
  struct file* file = file_at(call.fd);
  if (!file) return 0;
  bool anonymous = BPF_CORE_READ(file, f_inode, i_sb, s_magic) == ANON_INODE_FS_MAGIC;
  bool character = (BPF_CORE_READ(file, f_inode, i_mode) & KS_S_IFMT) == KS_S_IFCHR;
  bool misc = BPF_CORE_READ(file, f_inode, i_rdev) >> 20 == MISC_MAJOR;
  if (!anonymous && !character) return 0;
  count_vfio(call.command, anonymous || (!misc && number > VFIO_LAST_OF_GROUP));
  return 0;
}
