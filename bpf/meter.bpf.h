/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Meters: an add and a compare per occurrence; at the checkpoint, a look at the limits.
 *
 * A look folds the step since the last one into each limit's sliding window, and tells user space
 * if the VM's count within the window has passed the limit. The next checkpoint is chosen so that
 * a single vCPU, or queue, cannot pass the limit before it: what remains, shared among the VM's,
 * and at most a sixteenth of the limit.
 *
 * A limit opens on what was counted. A step that took longer than an eighth of the window cannot be
 * placed within it: of such a step only the latest occurrence counts, whose time is known. So after
 * idleness a storm is told at most a sixteenth late, and a slow trickle never is a storm.
 */
#pragma once

#include "bpf/kvm/vms.bpf.h"

/* Needs of the source's maps.bpf.h: KS_SOURCE, KS_METERS, KS_LIMITS with rows KS_LIMITS_ROW, and
 * holders_of(). */

#define KS_UNLIMITED_STEP 4096 /* without a limit: look again soon, one may have been set */
#define KS_REPORTED_STEP 256   /* once told, a storm need not be watched closely */

#define KS_LOOKING 0xffffffffffffffffULL /* a checkpoint while the program looks at the limits */

KS_DESCRIBE(ks_limit_crossed);

/* Adds STEP to the window and returns what it then holds: the counts since the beginning of the
 * eighth that lies six eighths back. With a step of at most one eighth, that is within the window.
 */
static __always_inline __u64 slide(struct ks_limit_row* limit, __u64 step, __u64 now) {
  __u64 epoch = now / (limit->window_ns / KS_MARKS + 1);
  __u64 before = __sync_fetch_and_add(&limit->counted, step);
  struct ks_mark* mark = &limit->marks[epoch % KS_MARKS];
  if (mark->epoch != epoch) {
    mark->counted = before;
    asm volatile("" ::: "memory"); /* a reader that sees the epoch sees the count */
    mark->epoch = epoch;
  }
  __u64 base = before;
#pragma unroll
  for (int age = KS_MARKS - 2; age >= 0; age--) {
    const struct ks_mark* older = &limit->marks[(epoch - age) % KS_MARKS];
    if (older->epoch == epoch - age) {
      base = older->counted;
      break;
    }
  }
  return before + step - base;
}

static __always_inline void tell(struct ks_limit_row* limit, const struct ks_vm_row* vm,
                                 __u32 index, __u32 meter, __u64 counted, __u64 now, __u64 last) {
  __u64 reported = limit->reported_ns;
  if (reported && now - reported < KS_REPORT_INTERVAL_NS) return;
  /* whoever crosses it tells it, once */
  if (__sync_val_compare_and_swap(&limit->reported_ns, reported, now) != reported) return;
  struct ks_limit_crossed* record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
  if (!record) {
    /* There may be no other look: left where user space finds it. It reads untold first. */
    limit->untold_last = last;
    limit->untold_ns = now;
    asm volatile("" ::: "memory");
    limit->untold = counted;
    limit->reported_ns = reported; /* so that the next look tries again */
    KS_LOSE(ring_full);
    return;
  }
  record->header.version = KS_LAYOUT_VERSION;
  record->header.kind = KS_RECORD_LIMIT;
  record->header.size = sizeof(*record);
  record->header.time_ns = now;
  record->header.vm_serial = vm->serial;
  record->source = KS_SOURCE;
  record->meter = meter;
  record->part_index = index;
  record->counted = counted;
  record->max = limit->max;
  record->window_ns = limit->window_ns;
  record->last = last;
  bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
}

/* What was counted since the last look. A row that is not a vCPU's may come to its checkpoint on
 * several CPUs at once:
 * what one of them takes, the others do not. */
static __always_inline __u64 take_step(struct ks_meter_row* row) {
#pragma unroll
  for (int tries = 0; tries < 4; tries++) {
    __u64 folded = row->folded;
    __u64 count = row->count;
    if (__sync_val_compare_and_swap(&row->folded, folded, count) == folded) return count - folded;
  }
  return 0; /* left to the next look */
}

/* COUNT occurrences just happened on ROW, which is METER of the VM in VM_SLOT, and it has come to
 * its checkpoint. INDEX says which of the VM's vCPUs it was, or which queue of its device. */
static __noinline int meter_look(struct ks_meter_row* row, __u32 meter, __u64 count, __u32 vm_slot,
                                 __u32 index) {
  if (!row || meter >= KS_METERS) return 0;
  KS_LIMITS_ROW* limits = bpf_map_lookup_elem(&KS_LIMITS, &vm_slot);
  struct ks_vm_row* vm = vm_row(vm_slot);
  if (!limits || !vm) {
    KS_LOSE(row_lookup);
    return 0;
  }
  __u64 now = bpf_ktime_get_ns();
  __u64 took = now - row->folded_ns;
  __u64 next = KS_UNLIMITED_STEP;
  __u64 step = take_step(row);
  row->folded_ns = now;
  /* User space sets limits and then the checkpoint to 0. From here on its 0 must outlive this look,
   * which may have read the old limits. */
  __sync_lock_test_and_set(&row->checkpoint, KS_LOOKING);
#pragma unroll
  for (int i = 0; i < KS_LIMITS_PER_METER; i++) {
    struct ks_limit_row* limit = &limits->meters[meter].rows[i];
    if (!limit->window_ns) continue;
    __u64 in_window = slide(limit, took <= limit->window_ns / KS_MARKS ? step : count, now);
    __u64 stride = limit->max / 16 + 1;
    if (in_window > limit->max) {
      tell(limit, vm, index, meter, in_window, now, row->last);
      if (stride < KS_REPORTED_STEP) stride = KS_REPORTED_STEP;
    } else {
      __u32 holders = holders_of(meter, vm_slot);
      __u64 share = (limit->max + 1 - in_window) / (holders > 1 ? 2 * holders : 1);
      if (share < stride) stride = share ? share : 1;
    }
    if (stride < next) next = stride;
  }
  __sync_val_compare_and_swap(&row->checkpoint, KS_LOOKING, row->count + next);
  return 0;
}

/* COUNT more occurrences on a row that any number of CPUs count on at once. */
static __always_inline void shared_add(struct ks_meter_row* row, __u32 meter, __u64 count,
                                       __u32 vm_slot, __u32 index) {
  __u64 total = __sync_fetch_and_add(&row->count, count) + count;
  if (total >= row->checkpoint) meter_look(row, meter, count, vm_slot, index);
}
