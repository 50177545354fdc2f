/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a tap has carried. The kernel counts by processor, in each one's own memory
 * (drivers/net/tun.c, dev_sw_netstats_rx_add; net/core/dev.c, dev_fetch_sw_netstats).
 *
 * What it keeps is one address for all processors, to which the distance to each one's memory is
 * added (include/linux/percpu-defs.h, per_cpu_ptr). That distance is the same for whatever is kept
 * so, and follows from an array of our own, whose address in each processor's memory programs may
 * ask for: no symbol is needed that a kernel may keep to itself.
 */
#include "bpf/number.bpf.h"
#include "bpf/resource/read.bpf.h"

#define KS_MAX_CPUS_READ 4096

KS_LICENSE;

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} processor_marks SEC(".maps");

/* As the kernel keeps it, for all processors. */
static __always_inline __u64 marks_address(void) {
  const char* map = (const char*)address_of(&processor_marks);
  __u64 address = 0;
  bpf_probe_read_kernel(&address, sizeof(address),
                        map + bpf_core_field_offset(struct bpf_array, pptrs));
  return address;
}

struct tap_sum {
  __u64 stats; /* address for all processors */
  __u64 core;
  __u64 marks;
  struct ks_resource_tap* tap;
};

static long add_processor(__u32 cpu, struct tap_sum* sum) {
  struct ks_resource_tap* tap = sum->tap;
  __u32 first = 0;
  const void* mark = bpf_map_lookup_percpu_elem(&processor_marks, &first, cpu);
  if (!mark) return 0;
  __u64 offset = address_of(mark) - sum->marks;
  const struct pcpu_sw_netstats* stats = (void*)(sum->stats + offset);
  /* What the host receives, the guest has sent. */
  tap->sent_packets += READ(stats, rx_packets).v;
  tap->sent_bytes += READ(stats, rx_bytes).v;
  tap->received_packets += READ(stats, tx_packets).v;
  tap->received_bytes += READ(stats, tx_bytes).v;
  if (!sum->core) return 0; /* made at the first drop */
  const struct net_device_core_stats* core = (void*)(sum->core + offset);
  tap->sent_drops += READ(core, rx_dropped);
  tap->received_drops += READ(core, tx_dropped);
  return 0;
}

static long pass_tap(void* map, const __u64* key, struct ks_resource_tap* tap,
                     const struct ks_pass* pass) {
  (void)map;
  const struct tun_file___resource* file = (void*)*key;
  const struct tun_struct___resource* tun = READ(file, tun);
  const struct net_device___resource* device = READ(tun, dev);
  /* The address may be another's by now: until the next walk the entry stays as it was. */
  if (!device || (tap->device && tap->device != (__u64)device)) return 0;
  __u32 ifindex = READ(device, ifindex);
  if (tap->ifindex && tap->ifindex != ifindex) return 0;
  struct ks_resource_tap now = {
      .serial = tap->serial, .device = (__u64)device, .pass = pass->number, .ifindex = ifindex};
  struct tap_sum sum = {.stats = (__u64)READ(device, tstats),
                        .core = (__u64)READ(device, core_stats),
                        .marks = marks_address(),
                        .tap = &now};
  if (!sum.stats) return 0;
  bpf_loop(pass->cpus, add_processor, &sum, 0);
  now.sent_drops += READ(device, stats.rx_dropped);
  now.sent_errors = READ(device, stats.rx_errors) + READ(tun, rx_frame_errors.counter);
  now.received_drops += READ(device, stats.tx_dropped);
  now.received_errors = READ(device, stats.tx_errors);
  *tap = now;
  return 0;
}

/* Its arguments are those of ks_pass. Attached to nothing, as the pass over VMs. */
KS_FIRED(tap_pass);
SEC("raw_tp") int tap_pass(__u64* ctx) {
  KS_NOTE_FIRED(tap_pass);
  struct ks_pass pass = {.number = ctx[0], .cpus = ctx[3]};
  if (pass.cpus > KS_MAX_CPUS_READ) return 1;
  bpf_for_each_map_elem(&resource_taps, pass_tap, &pass, 0);
  return 0;
}
