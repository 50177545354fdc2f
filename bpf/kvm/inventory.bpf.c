/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The walk over all open files of all processes: registers the VMs and vCPUs that were there before
 * the sensor, and tells user space which process holds which. Then, of each such process alone, the
 * walk over its files that may be devices of its VMs: other processes' files cost nothing.
 */
#include "bpf/kvm/device_file.bpf.h"
#include "bpf/kvm/kvm_file.bpf.h"
#include "bpf/kvm/register.bpf.h"

KS_LICENSE;

KS_DESCRIBE(ks_open_file);
KS_DESCRIBE(ks_open_device);

KS_FIRED(walk_files);
SEC("iter/task_file") int walk_files(struct bpf_iter__task_file* ctx) {
  KS_NOTE_FIRED(walk_files);
  struct file* file = ctx->file;
  struct task_struct* task = ctx->task;
  if (!file || !task) return 0;
  __u32 kind = kvm_file_kind(file);
  if (!kind) return 0;
  __u64 object = (__u64)BPF_CORE_READ(file, private_data);
  if (!object) return 0;
  struct kvm* kvm = (struct kvm*)object;
  if (kind == KS_FILE_VCPU) {
    kvm = BPF_CORE_READ((struct kvm_vcpu*)object, kvm);
    find_or_add_vcpu(object, KS_ORIGIN_WALK);
  } else {
    find_or_add_vm(object);
  }
  struct ks_open_file found = {
      .kvm = (__u64)kvm,
      .vcpu = kind == KS_FILE_VCPU ? object : 0,
      .tgid = task->tgid,
      .fd = ctx->fd,
      .creator_pid = BPF_CORE_READ(kvm, userspace_pid),
      .kind = kind,
  };
  bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
  return 0;
}

#define KS_MOST_IOEVENTFDS 64 /* of a VM; a device has one a queue */

/* The list may change meanwhile: what is read then is wrong or missing, until the next walk. */
static __always_inline void walk_ioeventfds(struct seq_file* seq, __u64 vm,
                                            struct ks_open_device* found) {
  struct kvm___ioeventfds* kvm = (void*)vm;
  if (!bpf_core_field_exists(kvm->ioeventfds) || !bpf_core_type_exists(struct _ioeventfd)) return;
  __u64 head = vm + bpf_core_field_offset(struct kvm___ioeventfds, ioeventfds);
  __u64 at = (__u64)BPF_CORE_READ(kvm, ioeventfds.next);
  found->kind = KS_DEVICE_IOEVENTFD;
  for (int i = 0; i < KS_MOST_IOEVENTFDS && at && at != head; i++) {
    struct _ioeventfd* one = (void*)(at - bpf_core_field_offset(struct _ioeventfd, list));
    found->object = BPF_CORE_READ(one, addr);
    found->size = BPF_CORE_READ(one, length);
    found->flags = BPF_CORE_READ(one, bus_idx);
    bpf_seq_write(seq, found, sizeof(*found));
    at = (__u64)BPF_CORE_READ(one, list.next);
  }
}

/* Attached again for each process. */
KS_FIRED(walk_devices);
SEC("iter/task_file") int walk_devices(struct bpf_iter__task_file* ctx) {
  KS_NOTE_FIRED(walk_devices);
  struct file* file = ctx->file;
  struct task_struct* task = ctx->task;
  if (!file || !task) return 0;
  struct ks_open_device found = {.tgid = task->tgid, .fd = ctx->fd};
  __u32 kind = kvm_file_kind(file);
  if (kind) {
    found.kind = KS_DEVICE_VM;
    const struct task_struct___place* place = (void*)task;
    found.object = BPF_CORE_READ(place, cgroups, dfl_cgrp, kn, id);
    if (kind == KS_FILE_VM) {
      bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
      walk_ioeventfds(ctx->meta->seq, (__u64)BPF_CORE_READ(file, private_data), &found);
      return 0;
    }
  } else if (!describe_device_file(file, &found)) {
    return 0;
  } else if (found.kind != KS_DEVICE_MISC) {
    /* What /proc/PID/fd says, but that is for the process's own user to read (fs/proc/fd.c). */
    if (bpf_d_path(&file->f_path, found.path, sizeof(found.path)) < 0) found.path[0] = 0;
  }
  bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
  return 0;
}
