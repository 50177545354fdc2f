/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Returns of KVM_RUN to the VMM.
 *
 * kvm_userspace_exit carries no vCPU and fires when the vCPU is unloaded already. But it fires
 * inside ioctl(vcpu_fd, KVM_RUN): the descriptor is in the system call's saved registers, and the
 * file behind it is the vCPU's for as long as it lives. Comparing the file, not the number, keeps
 * descriptors that were closed and reused apart; a VMM that swaps its descriptors while KVM_RUN is
 * under way can deceive only about its own vCPUs.
 */
#include "bpf/kvm_file.bpf.h"
#include "bpf/meter.bpf.h"
#include "bpf/whose.bpf.h"

KS_LICENSE;

#define EINTR 4
#define EAGAIN 11

/* The file of the ioctl that the current task is in. */
static __always_inline __u64 running_file(void) {
  struct fdtable* table = bpf_get_current_task_btf()->files->fdt;
  __u32 fd = current_ioctl().fd;
  __u64 file = 0;
  if (fd < table->max_fds) bpf_probe_read_kernel(&file, sizeof(file), table->fd + fd);
  return file;
}

static __noinline struct ks_vcpu_row* find_runner(__u64 file, __u32 cpu) {
  if (!file || kvm_file_kind((struct file*)file) != KS_FILE_VCPU) {
    KS_LOSE(unattributed);
    return 0;
  }
  struct ks_vcpu_row* row = find_vcpu((__u64)BPF_CORE_READ((struct file*)file, private_data), cpu);
  if (row) row->file = file;
  return row;
}

/* TP_PROTO(__u32 reason, int errno), include/trace/events/kvm.h. */
static __always_inline void on_userspace_exit(const __u64* ctx) {
  __u32 cpu = bpf_get_smp_processor_id();
  __u64 file = running_file();
  struct ks_vcpu_row* vcpu = vcpu_row(slot_hints[cpu & (KS_MAX_CPUS - 1)].slot);
  if (!vcpu || vcpu->file != file || !file || !vcpu->vcpu) vcpu = find_runner(file, cpu);
  if (!vcpu) return;
  __u32 reason = (__u32)ctx[0];
  int error = -(int)ctx[1];
  if (error <= 0) {
    vcpu->last_exit_reason = reason;
    if (reason < 64) {
      __u64 bit = 1ULL << reason;
      if (!(vcpu->exit_reasons_seen & bit)) __sync_fetch_and_or(&vcpu->exit_reasons_seen, bit);
    }
  }
  meter_add(vcpu, KS_METER_USERSPACE_EXIT, 1, vcpu->last_exit_reason);
  if (error > 0 && error != EINTR && error != EAGAIN)
    meter_add(vcpu, KS_METER_USERSPACE_ERROR, 1, vcpu->last_exit_reason);
}
KS_TRACEPOINT(kvm_userspace_exit, on_userspace_exit)
