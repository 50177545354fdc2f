/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The maps that all sources share, and the kinds of maps that each has of its own
 * (bpf/<source>/maps.bpf.h). The files of a source are linked into one object, where a map that
 * each of them declares is one: hence weak. Objects share maps through their pins; what a map is
 * sized by is said in the source's rows of sensor/source/<source>/bpf.cc. Sizes are 1 here.
 */
#pragma once

#include "bpf/common.bpf.h"

#define KS_ARRAY_MAP(map_name, value_type, flags) \
  struct {                                        \
    __uint(type, BPF_MAP_TYPE_ARRAY);             \
    __uint(map_flags, flags);                     \
    __uint(max_entries, 1);                       \
    __uint(pinning, LIBBPF_PIN_BY_NAME);          \
    __type(key, __u32);                           \
    __type(value, value_type);                    \
  } map_name __weak SEC(".maps")

/* Address of a kernel object to an entry (entry.bpf.h). */
#define KS_SLOT_MAP(map_name)            \
  struct {                               \
    __uint(type, BPF_MAP_TYPE_HASH);     \
    __uint(max_entries, 1);              \
    __uint(pinning, LIBBPF_PIN_BY_NAME); \
    __type(key, __u64);                  \
    __type(value, __u64);                \
  } map_name __weak SEC(".maps")

/* Slots that are free. First in, first out: a slot rests as long as it can before it is reused. */
#define KS_FREE_MAP(map_name)            \
  struct {                               \
    __uint(type, BPF_MAP_TYPE_QUEUE);    \
    __uint(max_entries, 1);              \
    __uint(pinning, LIBBPF_PIN_BY_NAME); \
    __type(value, __u32);                \
  } map_name __weak SEC(".maps")

/* Which rows of a table are in use, a bit each: user space reads no others. */
#define KS_USED_MAP(map_name) KS_ARRAY_MAP(map_name, __u64, BPF_F_MMAPABLE)

KS_ARRAY_MAP(state, struct ks_state, BPF_F_MMAPABLE);

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
  __uint(pinning, LIBBPF_PIN_BY_NAME);
} ring __weak SEC(".maps");

/* A source says which losses are its own: KS_LOSSES is their map, KS_LOSSES_ROW its row. */
#define KS_LOSE(reason)                                                       \
  do {                                                                        \
    __u32 losses_key = 0;                                                     \
    KS_LOSSES_ROW* losses_row = bpf_map_lookup_elem(&KS_LOSSES, &losses_key); \
    if (losses_row) __sync_fetch_and_add(&losses_row->reason, 1);             \
  } while (0)

static __always_inline struct ks_state* shared_state(void) {
  __u32 key = 0;
  return bpf_map_lookup_elem(&state, &key);
}

/* Sets in WORD the bit of NUMBER, of which the lowest six bits count. Whether it was new: one that
 * is set costs a test. */
static __always_inline bool set_first(__u64* word, __u32 number) {
  __u64 bit = 1ULL << (number & 63);
  if (*word & bit) return false;
  __sync_fetch_and_or(word, bit);
  return true;
}

/* The row of SLOT is in use from now on, or no more. */
static __always_inline void mark_used(void* map, __u32 slot, bool used) {
  __u32 index = slot / 64;
  __u64* word = bpf_map_lookup_elem(map, &index);
  __u64 bit = 1ULL << (slot & 63);
  if (!word) return;
  if (used) {
    __sync_fetch_and_or(word, bit);
  } else {
    __sync_fetch_and_and(word, ~bit);
  }
}

/* The next free slot of a table; KS_NO_SLOT where none is left. */
static __always_inline __u32 take_slot(void* free, void* used) {
  __u32 slot;
  if (bpf_map_pop_elem(free, &slot)) return KS_NO_SLOT;
  mark_used(used, slot, true);
  return slot;
}

/* A slot that was taken and never published goes back. False where it could not. */
static __always_inline bool give_slot_back(void* free, void* used, __u32 slot) {
  mark_used(used, slot, false);
  return !bpf_map_push_elem(free, &slot, 0);
}
