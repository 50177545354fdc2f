/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The walk over all open files of all processes: registers the VMs and vCPUs that were there before
 * the sensor, and tells user space which process holds which.
 */
#include "bpf/kvm_file.bpf.h"
#include "bpf/register.bpf.h"

KS_LICENSE;

SEC("iter/task_file") int walk_files(struct bpf_iter__task_file* ctx) {
  struct file* file = ctx->file;
  struct task_struct* task = ctx->task;
  if (!file || !task) return 0;
  struct ks_open_file found = {.kind = kvm_file_kind(file)};
  if (!found.kind) return 0;
  __u64 object = (__u64)BPF_CORE_READ(file, private_data);
  if (!object) return 0;
  found.tgid = task->tgid;
  found.fd = ctx->fd;
  if (found.kind == KS_FILE_VCPU) {
    found.vcpu = object;
    found.kvm = (__u64)BPF_CORE_READ((struct kvm_vcpu*)object, kvm);
    find_or_add_vcpu(object, KS_ORIGIN_WALK);
  } else {
    found.kvm = object;
    find_or_add_vm(object);
  }
  found.creator_pid = BPF_CORE_READ((struct kvm*)found.kvm, userspace_pid);
  bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
  return 0;
}
