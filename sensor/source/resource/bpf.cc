#include "sensor/source/resource/bpf.h"

#include <array>

#include "bpf/resource/records.h"
#include "sensor/probe/hook_variants.h"
// The only place that includes the skeletons: their bytes are all that is used of them.
#include "resource.skel.h"
#include "resource_maps.skel.h"

namespace kvmsentry {
namespace {

constexpr std::array kResourceMaps = {
    MapRow{"resource_vms", MapSize::kVms, sizeof(ks_resource_vm)},
    MapRow{"resource_vcpus", MapSize::kVcpus, sizeof(ks_resource_vcpu)},
    MapRow{"resource_disks", MapSize::kVms, sizeof(ks_resource_disks)},
    MapRow{"resource_groups", MapSize::kOwners},
    MapRow{"resource_taps", MapSize::kDeclared, sizeof(ks_resource_tap)},
    MapRow{"resource_victims", MapSize::kDeclared, sizeof(ks_victim)},
    MapRow{"resource_takers", MapSize::kDeclared, sizeof(ks_taker)},
    MapRow{"resource_losses", MapSize::kDeclared, sizeof(ks_resource_losses), /*frozen=*/true},
};

constexpr std::array kOnDemand = {Variant::kOnDemand};
constexpr std::array<absl::string_view, 1> kTun = {"tun_struct"};

constexpr std::array kFileOnly = {Variant::kFile};

// What the kernel tells in files alone (group_files.h).
constexpr Hook File(absl::string_view name, absl::string_view file, absl::string_view provides) {
  return {.name = name,
          .bpf = "",
          .variants = kFileOnly,
          .provides = provides,
          .file = file,
          .remedy = "boot the host with psi=1"};
}

constexpr std::array kResourceHooks = {
    Hook{.name = "resource_pass",
         .bpf = "resource",
         .variants = kOnDemand,
         .provides = "what VMs use of CPUs and memory, once a second: cpu.*, vcpu.state, "
                     "memory.*"},
    Hook{.name = "tap_pass",
         .bpf = "tap",
         .variants = kOnDemand,
         .provides = "what taps have carried, once a second: tap.*",
         .types = kTun,
         .module = "tun"},
    Hook{.name = "block_rq_complete",
         .bpf = "block",
         .variants = kTracepoint,
         .provides = "requests of disks, and how long they take: disk.*"},
    Hook{.name = "block_bio_queue",
         .bpf = "block",
         .variants = kTracepoint,
         .provides = "when disks that map others (device-mapper, md) are asked: disk.latency.*"},
    Hook{.name = "block_bio_complete",
         .bpf = "block",
         .variants = kTracepoint,
         .provides = "requests of disks that map others: disk.*"},
    Hook{.name = "mark_victim",
         .bpf = "oom",
         .variants = kTracepoint,
         .provides = "VMMs and helpers that are killed for want of memory: memory.oom_kill.rate"},
    Hook{.name = "sched_switch_while_waiting",
         .bpf = "taker",
         .variants = kOnDemand,
         .provides = "who runs while a vCPU waits, attached only then: cpu.taken_by"},
    File("cpu.pressure", "/proc/pressure/cpu", "time that tasks wait for CPUs: pressure.cpu.*"),
    File("memory.pressure", "/proc/pressure/memory",
         "time that tasks wait for memory: pressure.memory.*"),
    File("io.pressure", "/proc/pressure/io", "time that tasks wait for storage: pressure.io.*"),
    File("memory.stat", "/proc/vmstat",
         "what is reclaimed in a VM's cgroup of the unified hierarchy: memory.reclaim.rate, "
         "memory.refault.rate"),
    // Of blk-throttle there is no count: not in io.stat, blkio.throttle.* (which count what was let
    // through) or its structs, and no tracepoint (block/blk-throttle.c, to Linux 7.3).
    Hook{.name = "blk_throttle",
         .bpf = "",
         .variants = kFileOnly,
         .provides = "requests that a limit of the cgroup (io.max) holds back: disk.throttled",
         .remedy = "no kernel counts the requests that io.max holds back; pressure.io.* shows the "
                   "effect"},
};

}  // namespace

const BpfSource& ResourceBpf() {
  static constexpr BpfSource kSource = {.name = "resource",
                                        .number = KS_SOURCE_RESOURCE,
                                        .layout_version = KS_RESOURCE_VERSION,
                                        .maps = kResourceMaps,
                                        .programs = resource_bpf__elf_bytes,
                                        .maps_only = resource_maps_bpf__elf_bytes,
                                        .hooks = kResourceHooks};
  return kSource;
}

}  // namespace kvmsentry
