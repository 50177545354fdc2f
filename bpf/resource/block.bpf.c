/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Requests of disks, by the VM that alone is in their cgroup: the request knows it from whoever
 * asked for it, also where a worker writes back or a loop device passes it on. Two ways lead to a
 * disk. Most have a queue of requests; those that map others (device-mapper, md) have only bios,
 * and the requests of the disks below are counted there once more, as those disks'.
 */
#include "bpf/number.bpf.h"
#include "bpf/resource/read.bpf.h"

KS_LICENSE;

#define REQ_OP_MASK 0xff /* include/linux/blk_types.h */
#define REQ_OP_READ 0

/* A bio that was handed to a disk that has no queue. */
struct handed {
  __u64 since;
  __u64 bytes;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 65536);
  __type(key, __u64);
  __type(value, struct handed);
} bios SEC(".maps");

static __always_inline struct ks_resource_disks* disks_of(const struct bio* bio) {
  struct blkcg_gq* group = READ(bio, bi_blkg);
  if (!group) return 0;
  __u64 css = (__u64)READ(group, blkcg);
  const struct ks_resource_group* known = bpf_map_lookup_elem(&resource_groups, &css);
  if (!known) return 0;
  if (known->several) {
    KS_LOSE(shared_group);
    return 0;
  }
  __u32 slot = known->slot;
  const struct ks_vm_row* vm = vm_row(slot);
  if (!vm || vm->serial != known->serial) return 0; /* it is gone */
  /* The VM may have left the cgroup since, or the address be another's. */
  struct ks_resource_vm* row = bpf_map_lookup_elem(&resource_vms, &slot);
  if (!row || known->pass < row->ended) return 0;
  struct ks_resource_disks* disks = bpf_map_lookup_elem(&resource_disks, &slot);
  if (!disks || !claim_for_vm(&disks->vm_serial, known->serial)) return 0;
  if (!row->has_disks) row->has_disks = 1;
  return disks;
}

/* Which disk it is must not be known to the verifier: it would follow what comes after once for
 * each. */
static __always_inline struct ks_resource_disk* find_disk(struct ks_resource_disks* disks,
                                                          __u64 device) {
  __u32 i = 0;
  for (; i < KS_DISKS_PER_VM - 1; i++) {
    struct ks_resource_disk* disk = &disks->disks[i];
    if (!disk->device) __sync_val_compare_and_swap(&disk->device, 0, device);
    if (disk->device == device) break;
  }
  return &disks->disks[(i ^ zero_that_changes()) & (KS_DISKS_PER_VM - 1)];
}

static __always_inline void count(const struct bio* bio, const struct gendisk* gendisk,
                                  __u32 operation, __u64 bytes, bool failed, __u64 since) {
  struct ks_resource_disks* disks = disks_of(bio);
  if (!disks) return;
  __u64 device = (__u64)READ(gendisk, major) << 20 | (__u32)READ(gendisk, first_minor);
  struct ks_resource_disk* disk = find_disk(disks, device);
  if ((operation & REQ_OP_MASK) == REQ_OP_READ) {
    __sync_fetch_and_add(&disk->reads, 1);
    __sync_fetch_and_add(&disk->read_bytes, bytes);
  } else {
    __sync_fetch_and_add(&disk->writes, 1);
    __sync_fetch_and_add(&disk->write_bytes, bytes);
  }
  if (failed) __sync_fetch_and_add(&disk->errors, 1);
  if (!since) return;
  __u32 latency = log2_of((bpf_ktime_get_ns() - since) / 1000 | 1) & (KS_LATENCIES - 1);
  __sync_fetch_and_add(&disk->latencies[latency], 1);
}

static __always_inline void on_rq_complete(__u64* ctx) {
  const struct request* request = (void*)ctx[0];
  const struct bio* bio = READ(request, bio);
  if (!bio) return; /* a flush of the disk's own cache */
  const struct gendisk* disk = READ(request, q, disk);
  count(bio, disk, READ(request, cmd_flags), (__u32)ctx[2], (__u8)ctx[1] != 0,
        READ(request, start_time_ns));
}
KS_TRACEPOINT(block_rq_complete, on_rq_complete)

/* The disk, if it has no queue of requests. */
static __always_inline const struct gendisk* bio_disk(const struct bio* bio) {
  const struct gendisk* disk = READ(bio, bi_bdev, bd_disk);
  return READ(disk, fops, submit_bio) ? disk : 0;
}

static __always_inline void on_bio_queue(__u64* ctx) {
  const struct bio* bio = (void*)ctx[0];
  if (!bio_disk(bio) || !disks_of(bio)) return;
  __u64 key = (__u64)bio;
  struct handed handed = {.since = bpf_ktime_get_ns(), .bytes = READ(bio, bi_iter.bi_size)};
  if (bpf_map_update_elem(&bios, &key, &handed, BPF_ANY)) KS_LOSE(table_update);
}
KS_TRACEPOINT(block_bio_queue, on_bio_queue)

/* By now its size is what is left of it: nothing. */
static __always_inline void on_bio_complete(__u64* ctx) {
  const struct bio* bio = (void*)ctx[1];
  __u64 key = (__u64)bio;
  const struct handed* handed = bpf_map_lookup_elem(&bios, &key);
  if (!handed) return;
  const struct gendisk* disk = READ(bio, bi_bdev, bd_disk);
  count(bio, disk, READ(bio, bi_opf), handed->bytes, READ(bio, bi_status) != 0, handed->since);
  bpf_map_delete_elem(&bios, &key);
}
KS_TRACEPOINT(block_bio_complete, on_bio_complete)
