/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's types of tasks and cgroups, as bpf/kernel_types.h. */
#pragma once

#include "bpf/kernel_types.h"

struct list_head {
  struct list_head* next;
} KS_CORE;

enum cgroup_subsys_id { cpu_cgrp_id, memory_cgrp_id, io_cgrp_id, CGROUP_SUBSYS_COUNT = 16 };

struct cgroup_subsys_state {
  struct cgroup_subsys_state* parent;
} KS_CORE;

struct css_set {
  struct cgroup_subsys_state* subsys[CGROUP_SUBSYS_COUNT];
} KS_CORE;

/* kernel/sched/sched.h */
struct cfs_bandwidth {
  __u64 period; /* ktime_t */
  __u64 quota;
  int nr_periods;
  int nr_throttled;
  __u64 throttled_time;
} KS_CORE;

struct task_group {
  struct cgroup_subsys_state css;
  struct cfs_bandwidth cfs_bandwidth;
} KS_CORE;

struct page_counter {
  atomic_long_t usage;
  unsigned long max;
} KS_CORE;

enum memcg_memory_event {
  MEMCG_HIGH = 1,
  MEMCG_MAX,
  MEMCG_OOM,
  MEMCG_OOM_KILL,
  MEMCG_NR_MEMORY_EVENTS = 16
};

struct mem_cgroup {
  struct cgroup_subsys_state css;
  struct page_counter memory;
  struct page_counter swap;
  atomic_long_t memory_events[MEMCG_NR_MEMORY_EVENTS];
} KS_CORE;

struct signal_struct {
  struct list_head thread_head;
  unsigned long long sum_sched_runtime; /* of threads that have ended */
} KS_CORE;

struct rq {
  __u64 clock;
} KS_CORE;

struct cfs_rq {
  struct rq* rq;
} KS_CORE;

struct sched_entity {
  __u64 sum_exec_runtime;
  struct cfs_rq* cfs_rq;
} KS_CORE;

struct sched_info {
  unsigned long long run_delay;
  unsigned long long last_queued; /* 0 while it sleeps or runs */
} KS_CORE;

struct pid {
  struct hlist_head tasks[1]; /* PIDTYPE_PID is 0 */
} KS_CORE;

/* What a pass reads of a task. */
struct task_struct___resource {
  int pid;
  int tgid;
  unsigned int __state;
  __u8 on_cpu; /* an int in Linux 6.12, of which this is the lowest byte; a byte in 7.3 */
  struct sched_entity se;
  struct sched_info sched_info;
  struct signal_struct* signal;
  struct css_set* cgroups;
  struct list_head thread_node;
  char comm[16];
  struct task_struct___resource* group_leader;
  __u64 start_boottime;
} KS_CORE;

struct task_struct___pid_links { /* until Linux 6.19 */
  struct hlist_node pid_links[1];
} KS_CORE;

/* The kernel's is anonymous, so its values are the same on all that are served. */
enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES, NR_MM_COUNTERS };

struct percpu_counter {
  __s64 count;
} KS_CORE;

struct mm_struct___resource {
  struct task_struct___resource* owner;
  unsigned long locked_vm;
  atomic_long_t hugetlb_usage;
} KS_CORE;

struct mm_struct___counters { /* since Linux 6.2 */
  struct percpu_counter rss_stat[NR_MM_COUNTERS];
} KS_CORE;

struct mm_rss_stat {
  atomic_long_t count[NR_MM_COUNTERS];
} KS_CORE;

struct mm_struct___atomics {
  struct mm_rss_stat rss_stat;
} KS_CORE;

struct kvm_vcpu_stat_generic {
  __u64 blocking;
} KS_CORE;

struct kvm_vcpu_stat {
  struct kvm_vcpu_stat_generic generic;
  __u64 exits;
} KS_CORE;

struct kvm_vcpu___resource {
  int mode;
  struct pid* pid;
  struct kvm_vcpu_stat stat;
} KS_CORE;

struct kvm___resource {
  unsigned long nr_memslot_pages;
  struct kvm_memslots* memslots[1]; /* of each address space */
} KS_CORE;

/* ---- disks ---------------------------------------------------------------------------------- */

struct block_device_operations {
  void* submit_bio;
} KS_CORE;

struct gendisk {
  int major;
  int first_minor;
  struct block_device_operations* fops;
} KS_CORE;

struct block_device {
  struct gendisk* bd_disk;
} KS_CORE;

struct blkcg_gq {
  struct blkcg* blkcg;
} KS_CORE;

struct bvec_iter {
  unsigned int bi_size;
} KS_CORE;

struct bio {
  struct block_device* bi_bdev;
  unsigned int bi_opf;
  __u8 bi_status;
  struct bvec_iter bi_iter;
  struct blkcg_gq* bi_blkg;
} KS_CORE;

struct request_queue {
  struct gendisk* disk;
} KS_CORE;

struct request {
  struct request_queue* q;
  unsigned int cmd_flags;
  struct bio* bio;
  __u64 start_time_ns;
} KS_CORE;

/* ---- taps ----------------------------------------------------------------------------------- */

/* Of a per-CPU array, its elements: addresses for all processors. */
struct bpf_array {
  void* pptrs[1];
} KS_CORE;

typedef struct {
  __u64 v; /* the kernel's is a struct of one long */
} u64_stats_t;

struct pcpu_sw_netstats {
  u64_stats_t rx_packets;
  u64_stats_t rx_bytes;
  u64_stats_t tx_packets;
  u64_stats_t tx_bytes;
} KS_CORE;

struct net_device_core_stats {
  unsigned long rx_dropped;
  unsigned long tx_dropped;
} KS_CORE;

struct net_device_stats {
  unsigned long rx_errors;
  unsigned long tx_errors;
  unsigned long rx_dropped;
  unsigned long tx_dropped;
} KS_CORE;

struct net_device___resource {
  int ifindex;
  struct net_device_stats stats;
  struct net_device_core_stats* core_stats;
  struct pcpu_sw_netstats* tstats;
} KS_CORE;

struct tun_file___resource {
  struct tun_struct___resource* tun;
} KS_CORE;

struct tun_struct___resource {
  struct net_device___resource* dev;
  atomic_long_t rx_frame_errors;
} KS_CORE;
