/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The pass: reads what the kernel counts of each VM's process, cgroups and vCPUs into rows that are
 * mapped by user space, which has it run once a second. It is attached to nothing. It begins at the
 * VMs and vCPUs that the source kvm knows, so that no process of the host that is no VMM costs
 * anything, and it opens no file.
 *
 * It holds the RCU read lock throughout (net/bpf/test_run.c, __bpf_prog_test_run_raw_tp), as the
 * kernel's own readers of these lists do. What goes away meanwhile reads as 0, or as what it was.
 */
#include "bpf/resource/group.bpf.h"
#include "bpf/resource/process.bpf.h"

KS_LICENSE;

/* A pass looks at 64 slots, a word of the bits of those in use, in one run of a callback. */
struct word {
  __u64 number; /* of the pass */
  __u64 bits;
  __u32 first; /* slot of its first bit */
};

static long pass_vm(__u32 index, struct word* word) {
  if (!(word->bits & 1ULL << (index & 63))) return 0;
  __u32 slot = word->first + index;
  const struct ks_vm_row* vm = vm_row(slot);
  struct ks_resource_vm* row = bpf_map_lookup_elem(&resource_vms, &slot);
  if (!vm || !row) {
    KS_LOSE(row_lookup);
    return 0;
  }
  if (vm->state != KS_VM_ALIVE || !vm->mm) return 0;
  row->begun = word->number;
  row->vm_serial = vm->serial;
  row->time_ns = bpf_ktime_get_ns();
  row->known = 0;
  row->tgid = 0;
  /* The process that the address space belongs to: whoever holds the VM's descriptors. */
  const struct mm_struct___resource* mm = (void*)vm->mm;
  const task_t* task = READ(mm, owner);
  if (task) {
    row->known = KS_KNOWN_PROCESS;
    row->tgid = READ(task, tgid);
    read_threads(task, row);
    read_address_space(vm, row);
    read_cpu_group(task, row);
    read_memory_group(task, row);
    say_io_group(task, vm, word->number);
  }
  row->ended = word->number;
  return 0;
}

#define TASK_UNINTERRUPTIBLE_BIT 0x2
#define TASK_STOPPED_OR_TRACED 0xc /* include/linux/sched.h: __TASK_STOPPED, __TASK_TRACED */
#define TASK_NOLOAD_BIT 0x400      /* of what sleeps uninterruptibly without being waited for */

#define KS_OUTSIDE_GUEST_MODE 0 /* include/linux/kvm_host.h, of vcpu->mode */

static __always_inline __u32 state_of(const task_t* task, const struct kvm_vcpu___resource* vcpu) {
  __u32 state = READ(task, __state);
  if (state & TASK_STOPPED_OR_TRACED) return KS_VCPU_STOPPED;
  if (READ(task, on_cpu)) return KS_VCPU_RUNNING;
  if (state == 0) return KS_VCPU_WAITING;
  if (READ(vcpu, stat.generic.blocking)) return KS_VCPU_HALTED;
  if (state & TASK_UNINTERRUPTIBLE_BIT && !(state & TASK_NOLOAD_BIT)) return KS_VCPU_BLOCKED;
  return KS_VCPU_OUTSIDE;
}

static long pass_vcpu(__u32 index, struct word* word) {
  if (!(word->bits & 1ULL << (index & 63))) return 0;
  __u32 slot = word->first + index;
  const struct ks_vcpu_row* known = vcpu_row(slot);
  struct ks_resource_vcpu* row = bpf_map_lookup_elem(&resource_vcpus, &slot);
  if (!known || !row) {
    KS_LOSE(row_lookup);
    return 0;
  }
  const struct kvm_vcpu___resource* vcpu = (void*)known->vcpu;
  if (!vcpu) return 0;
  row->begun = word->number;
  row->vm_serial = known->vm_serial;
  row->index = known->vcpu_index;
  row->tid = 0;
  row->state = KS_VCPU_UNKNOWN;
  row->exits = READ(vcpu, stat.exits);
  row->outside = READ(vcpu, mode) == KS_OUTSIDE_GUEST_MODE;
  /* The thread that ran it last: the first of its number's tasks. */
  struct pid* pid = READ(vcpu, pid);
  __u64 link = pid ? (__u64)READ(pid, tasks[0].first) : 0;
  if (link) {
    const task_t* task =
        (void*)(link - bpf_core_field_offset(struct task_struct___pid_links, pid_links[0]));
    row->tid = READ(task, pid);
    row->run = READ(task, se.sum_exec_runtime);
    row->delay = READ(task, sched_info.run_delay);
    row->state = state_of(task, vcpu);
  }
  row->ended = word->number;
  return 0;
}

static long pass_vms(__u32 index, struct ks_pass* pass) {
  const __u64* bits = bpf_map_lookup_elem(&vms_used, &index);
  if (!bits || !*bits) return 0;
  struct word word = {.number = pass->number, .bits = *bits, .first = index * 64};
  bpf_loop(64, pass_vm, &word, 0);
  return 0;
}

static long pass_vcpus(__u32 index, struct ks_pass* pass) {
  const __u64* bits = bpf_map_lookup_elem(&vcpus_used, &index);
  if (!bits || !*bits) return 0;
  struct word word = {.number = pass->number, .bits = *bits, .first = index * 64};
  bpf_loop(64, pass_vcpu, &word, 0);
  return 0;
}

#define KS_MAX_WORDS 4096

/* Its arguments are those of ks_pass. */
KS_FIRED(resource_pass);
SEC("raw_tp") int resource_pass(__u64* ctx) {
  KS_NOTE_FIRED(resource_pass);
  struct ks_pass pass = {.number = ctx[0], .vm_words = ctx[1], .vcpu_words = ctx[2]};
  if (pass.vm_words > KS_MAX_WORDS || pass.vcpu_words > KS_MAX_WORDS) return 1;
  bpf_loop(pass.vm_words, pass_vms, &pass, 0);
  bpf_loop(pass.vcpu_words, pass_vcpus, &pass, 0);
  return 0;
}
