/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What a VMM's process uses. */
#pragma once

#include "bpf/resource/read.bpf.h"

#define KS_MAX_THREADS 4096

struct threads {
  __u64 node; /* of the list of the process's threads */
  __u64 head;
  __u64 run;
  bool done;
};

static long add_thread(__u32 index, struct threads* threads) {
  (void)index;
  if (!threads->node || threads->node == threads->head) {
    threads->done = true;
    return 1;
  }
  const struct list_head* node = (void*)threads->node;
  const task_t* task = (void*)(threads->node - bpf_core_field_offset(task_t, thread_node));
  threads->run += READ(task, se.sum_exec_runtime);
  threads->node = (__u64)READ(node, next);
  return 0;
}

static __always_inline void read_threads(const task_t* task, struct ks_resource_vm* row) {
  struct signal_struct* signal = READ(task, signal);
  struct threads threads = {
      .node = (__u64)READ(signal, thread_head.next),
      .head = (__u64)signal + bpf_core_field_offset(struct signal_struct, thread_head),
      .run = READ(signal, sum_sched_runtime),
  };
  bpf_loop(KS_MAX_THREADS, add_thread, &threads, 0);
  if (!threads.done) KS_LOSE(many_threads);
  row->run = threads.run;
}

/* Pages of KIND in the address space. A macro, for KIND must be a number to the compiler: the
 * kernel's elements are larger than those that are declared here. */
#define PAGES_OF(mm, KIND)                                                          \
  ({                                                                                \
    __s64 pages = 0;                                                                \
    struct mm_struct___counters* counters = (void*)(mm);                            \
    struct mm_struct___atomics* atomics = (void*)(mm);                              \
    if (bpf_core_field_exists(atomics->rss_stat.count)) {                           \
      bpf_core_read(&pages, sizeof(pages), &atomics->rss_stat.count[KIND].counter); \
    } else {                                                                        \
      bpf_core_read(&pages, sizeof(pages), &counters->rss_stat[KIND].count);        \
    }                                                                               \
    pages > 0 ? (__u64)pages : 0;                                                   \
  })

static __always_inline void read_address_space(const struct ks_vm_row* vm,
                                               struct ks_resource_vm* row) {
  const struct mm_struct___resource* mm = (void*)vm->mm;
  const struct kvm___resource* kvm = (void*)vm->kvm;
  __u64 resident = PAGES_OF(vm->mm, MM_FILEPAGES) + PAGES_OF(vm->mm, MM_ANONPAGES) +
                   PAGES_OF(vm->mm, MM_SHMEMPAGES);
  row->resident = resident * KS_PAGE_BYTES;
  row->swapped = PAGES_OF(vm->mm, MM_SWAPENTS) * KS_PAGE_BYTES;
  row->locked = READ(mm, locked_vm) * KS_PAGE_BYTES;
  row->huge = 0;
  if (bpf_core_field_exists(mm->hugetlb_usage)) {
    row->huge = READ(mm, hugetlb_usage.counter) * KS_PAGE_BYTES;
  }
  row->configured = READ(kvm, nr_memslot_pages) * KS_PAGE_BYTES;
  /* The kernel adds up the slots of all address spaces. The second, which it has if it was built
   * with system management mode, is of that mode; QEMU maps all memory there again. libbpf takes no
   * index beyond the kernel's array, not even in code that is never reached. */
  const struct kvm_memslots* smm = 0;
  if (bpf_core_field_size(kvm->memslots) <= sizeof(smm)) return;
  const void* second = (const void*)kvm + bpf_core_field_offset(kvm->memslots) + sizeof(smm);
  bpf_probe_read_kernel(&smm, sizeof(smm), second);
  if (!smm || !bpf_core_field_exists(smm->hva_tree)) return;
  if (READ(smm, hva_tree.rb_root.rb_node)) row->configured /= 2;
}
