/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What becomes of a VM's processes: the children they make, the programs that these start, the
 * signals that end them. By tracepoints, which every kernel has, and which fire rarely.
 */
#include "bpf/vmm/act.bpf.h"

KS_LICENSE;

/* include/uapi/asm-generic/signal.h, siginfo.h */
#define KS_SIGILL 4
#define KS_SIGTRAP 5
#define KS_SIGABRT 6
#define KS_SIGBUS 7
#define KS_SIGFPE 8
#define KS_SIGSEGV 11
#define KS_SIGSYS 31
#define KS_BUS_MCEERR_AR 4
#define KS_BUS_MCEERR_AO 5
#define KS_FAULTS                                                                    \
  (1ULL << KS_SIGILL | 1ULL << KS_SIGTRAP | 1ULL << KS_SIGABRT | 1ULL << KS_SIGBUS | \
   1ULL << KS_SIGFPE | 1ULL << KS_SIGSEGV | 1ULL << KS_SIGSYS)

static __always_inline struct nsproxy* namespaces_of(struct task_struct* task) {
  return BPF_CORE_READ((struct task_struct___vmm*)task, nsproxy);
}

/* MM has just been made. What user space has yet to take back is of a VM that has ended, whose
 * address space was there before. */
static __always_inline void forget_address_space(__u64 mm) {
  struct ks_owner_key key = {.kind = KS_OWNER_MM, .id = {mm}};
  if (bpf_map_lookup_elem(&owners, &key)) bpf_map_delete_elem(&owners, &key);
}

/* Whoever deletes the entry counts it down: its last two threads may end at once. */
static __always_inline void forget_child(__u32 tgid) {
  const struct ks_child* child = bpf_map_lookup_elem(&vmm_children, &tgid);
  if (!child) return;
  struct ks_owner vm = child->vm;
  if (bpf_map_delete_elem(&vmm_children, &tgid)) return;
  struct ks_vmm_vm_row* row = is_known(&vm) ? row_of_vm(&vm) : 0;
  if (row) __sync_fetch_and_add(&row->children, -1);
}

/* A child beyond the number that is followed counts as a program that nobody allows. */
static __always_inline void follow_child(struct task_struct* child, const struct ks_owner* owner,
                                         struct ks_vmm_vm_row* row, bool copied) {
  __u32 tgid = BPF_CORE_READ(child, tgid);
  struct ks_child made = {.vm = *owner, .begin = begin_of(child), .copied = copied};
  name_program(child, made.program, sizeof(made.program));
  forget_child(tgid); /* of a process whose end was not seen */
  if (row->children < KS_MAX_CHILDREN &&
      !bpf_map_update_elem(&vmm_children, &tgid, &made, BPF_ANY)) {
    __sync_fetch_and_add(&row->children, 1);
    return;
  }
  KS_LOSE(child_untracked);
  note_bit(&row->unsent, 64, &row->changed, KS_ACT_PROGRAM);
}

/* TP_PROTO(struct task_struct *parent, struct task_struct *child), include/trace/events/sched.h */
static __always_inline void on_fork(const __u64* ctx) {
  struct task_struct* parent = (struct task_struct*)ctx[0];
  struct task_struct* child = (struct task_struct*)ctx[1];
  if (BPF_CORE_READ(child, tgid) != BPF_CORE_READ(child, pid)) return; /* a thread */
  __u64 mm = (__u64)BPF_CORE_READ(child, mm);
  if (mm != (__u64)BPF_CORE_READ(parent, mm)) forget_address_space(mm);
  struct ks_owner owner = {};
  if (!acts_for_vm(parent, &owner)) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  if (!row) return;
  bool begun = has_begun(owner.slot);
  follow_child(child, &owner, row, begun);
  if (!begun) return;
  count_act(row, &owner, KS_METER_VMM_FORK);
  if (namespaces_of(child) != namespaces_of(parent))
    note_member(row, &owner, KS_ACT_CALL, &row->calls, 64, KS_CALL_NAMESPACE);
}
KS_TRACEPOINT(sched_process_fork, on_fork)

/* Whether the current process, which runs another program from now on, is followed already. */
static __always_inline bool rename_child(struct task_struct* task) {
  __u32 tgid = task->tgid;
  struct ks_child* child = bpf_map_lookup_elem(&vmm_children, &tgid);
  if (!child || child->begin != begin_of(task)) return false;
  __builtin_memset(child->program, 0, sizeof(child->program));
  name_program(task, child->program, sizeof(child->program));
  child->copied = 0;
  return true;
}

/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm): the path is the
 * kernel's copy. */
static __always_inline void on_exec(const __u64* ctx) {
  struct task_struct* task = bpf_get_current_task_btf();
  forget_address_space((__u64)task->mm);
  bool followed = rename_child(task);
  struct ks_owner owner = {};
  struct ks_vmm_vm_row* row = acting_row(&owner, KS_ROLE_OWN);
  /* A VMM that runs another program is known by its number alone once its VM has gone. */
  if (row && !followed) follow_child(task, &owner, row, false);
  struct ks_vmm_act* record = row ? begin_act(row, &owner, KS_ACT_PROGRAM) : 0;
  if (!record) return;
  const char* path = BPF_CORE_READ((struct linux_binprm*)ctx[2], filename);
  bpf_probe_read_kernel_str(record->text, sizeof(record->text), path);
  submit_act(record);
}
KS_TRACEPOINT(sched_process_exec, on_exec)

/* TP_PROTO(struct task_struct *p, ...) */
static __always_inline void on_exit(const __u64* ctx) {
  struct task_struct* task = (struct task_struct*)ctx[0];
  struct task_struct___vmm* more = (void*)task;
  /* A thread that its filter ends alone gets no signal (kernel/seccomp.c). */
  if ((BPF_CORE_READ(more, exit_code) & 0x7f) == KS_SIGSYS) {
    struct ks_owner owner = {};
    struct ks_vmm_vm_row* row = acting_row(&owner, KS_ROLE_OWN);
    if (row) note_member(row, &owner, KS_ACT_SIGNAL, &row->signals, 64, KS_SIGSYS);
  }
  if (BPF_CORE_READ(more, signal, live.counter) > 0) return; /* its other threads go on */
  forget_child(BPF_CORE_READ(task, tgid));
}
KS_TRACEPOINT(sched_process_exit, on_exit)

/* Whether the signal says that its receiver did wrong, and not that somebody wants it to end, nor
 * that the host's memory is broken. */
static __always_inline bool is_fault(__u32 number, __u64 info, struct task_struct* receiver) {
  if (number == KS_SIGABRT)
    return BPF_CORE_READ(receiver, tgid) == bpf_get_current_task_btf()->tgid;
  if (info <= 1) return false; /* SEND_SIG_NOINFO, SEND_SIG_PRIV: no reason given */
  int code = BPF_CORE_READ((struct kernel_siginfo*)info, si_code);
  if (number == KS_SIGBUS && (code == KS_BUS_MCEERR_AR || code == KS_BUS_MCEERR_AO)) return false;
  return code > 0; /* the kernel's */
}

/* TP_PROTO(int sig, struct kernel_siginfo *info, struct task_struct *task, int group, int result),
 * include/trace/events/signal.h */
static __always_inline void on_signal(const __u64* ctx) {
  __u32 number = ctx[0];
  if (number >= 64 || !(KS_FAULTS & 1ULL << number)) return;
  struct task_struct* task = (struct task_struct*)ctx[2];
  if (!is_fault(number, ctx[1], task)) return;
  struct ks_owner owner = {};
  if (!acts_for_vm(task, &owner) || !has_begun(owner.slot)) return;
  struct ks_vmm_vm_row* row = row_of_vm(&owner);
  if (row) note_member(row, &owner, KS_ACT_SIGNAL, &row->signals, 64, number);
}
KS_TRACEPOINT(signal_generate, on_signal)
