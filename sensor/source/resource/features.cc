#include "sensor/source/resource/features.h"

#include <array>

#include "sensor/source/resource/members.h"

namespace kvmsentry {
namespace {

constexpr Points kPhysical(Point::kR1);
constexpr Points kBounds(Point::kR2, Point::kR1, Point::kR3);
constexpr char kPass[] = "resource_pass";

// A level of the whole VM, in SCALEths of UNIT.
constexpr Feature Level(absl::string_view name, absl::string_view unit, absl::string_view noun,
                        uint64_t scale, bool given, const char* hook = kPass) {
  return {.name = name,
          .kind = FeatureKind::kLevel,
          .points = kPhysical,
          .unit = unit,
          .noun = noun,
          .hooks = hook,
          .scale = scale,
          .given = given};
}

constexpr Feature At(Points points, Feature feature) {
  feature.points = points;
  return feature;
}

constexpr Feature Rate(absl::string_view name, absl::string_view noun, uint16_t meter,
                       const char* hook = kPass) {
  return {.name = name,
          .kind = FeatureKind::kRate,
          .points = kPhysical,
          .unit = "1/s",
          .noun = noun,
          .hooks = hook,
          .meter = meter,
          .kernel_limit = false};
}

constexpr Feature Of(PartKind part, Feature feature) {
  feature.part = part;
  return feature;
}

constexpr char kBlock[] = "block_rq_complete";

constexpr Feature OfDisk(absl::string_view name, absl::string_view noun, uint16_t meter) {
  return Of(PartKind::kDisk, Rate(name, noun, meter, kBlock));
}

constexpr Feature OfTap(absl::string_view name, absl::string_view noun, uint16_t meter) {
  return Of(PartKind::kTap, Rate(name, noun, meter, "tap_pass"));
}

constexpr uint64_t kMicrosPerMs = 1000;
constexpr uint64_t kBytesPerMib = 1 << 20;
constexpr uint64_t kMillis = 1000;  // of a CPU
constexpr uint64_t kTenths = 10;    // of a percent

constexpr std::array kFeatures = {
    Level("cpu.used", "CPUs", "CPU time in use", kMillis, true),
    Level("cpu.quota.used", "CPUs", "CPU time in use, of the cgroup's quota", kMillis, true),
    Level("cpu.throttled", "%", "time for which the cgroup's quota was used up", kTenths, false),
    At(kBounds, Level("cpu.count", "vCPUs", "vCPUs, of the most that it was given", 1, true)),
    Of(PartKind::kVcpu,
       Level("cpu.waiting", "%", "time that a vCPU waited for a CPU", kTenths, false)),
    Feature{.name = "vcpu.state",
            .kind = FeatureKind::kState,
            .points = kPhysical,
            .unit = "state",
            .noun = "what a vCPU does",
            .hooks = kPass,
            .member = &kVcpuState,
            .part = PartKind::kVcpu},
    Level("memory.used", "MiB", "memory that its cgroup uses, of the limit", kBytesPerMib, true),
    At(kBounds,
       Level("memory.mapped", "MiB", "memory mapped for the guest, of the most that it was given",
             kBytesPerMib, true)),
    Level("memory.resident", "MiB", "memory that the VMM holds, of what the VM has", kBytesPerMib,
          true),
    Level("memory.swapped", "MiB", "memory of the VMM in swap, of what the VM has", kBytesPerMib,
          true),
    Level("memory.locked", "MiB", "memory that the VMM has locked, of what the VM has",
          kBytesPerMib, true),
    Level("memory.huge", "MiB", "memory of the VMM in huge pages, of what the VM has", kBytesPerMib,
          true),
    Rate("memory.high.rate", "stops at memory.high", kMemoryHighMeter),
    Rate("memory.max.rate", "times that the memory limit was met", kMemoryMaxMeter),
    Rate("memory.oom.rate", "times that memory could not be had", kMemoryOomMeter),
    Rate("memory.oom_kill.rate", "processes killed for want of memory", kMemoryOomKillMeter),
    Rate("memory.reclaim.rate", "pages reclaimed", kMemoryReclaimMeter, "memory.stat"),
    Rate("memory.refault.rate", "pages read again after they were reclaimed", kMemoryRefaultMeter,
         "memory.stat"),
    Level("pressure.cpu.some", "%", "time that some of its tasks waited for a CPU", kTenths, false,
          "cpu.pressure"),
    Level("pressure.cpu.full", "%", "time that all of its tasks waited for a CPU", kTenths, false,
          "cpu.pressure"),
    Level("pressure.memory.some", "%", "time that some of its tasks waited for memory", kTenths,
          false, "memory.pressure"),
    Level("pressure.memory.full", "%", "time that all of its tasks waited for memory", kTenths,
          false, "memory.pressure"),
    Level("pressure.io.some", "%", "time that some of its tasks waited for storage", kTenths, false,
          "io.pressure"),
    Level("pressure.io.full", "%", "time that all of its tasks waited for storage", kTenths, false,
          "io.pressure"),
    // Who ran on CPUs for which a vCPU waited much; looked at only then.
    Feature{.name = "cpu.taken_by",
            .kind = FeatureKind::kSet,
            .points = kPhysical,
            .unit = "taker",
            .noun = "takers of its CPUs",
            .hooks = "sched_switch_while_waiting",
            .member = &kTaker},
    OfDisk("disk.read.rate", "requests to read", kDiskReadMeter),
    OfDisk("disk.write.rate", "requests to write", kDiskWriteMeter),
    OfDisk("disk.read.byte.rate", "bytes read", kDiskReadBytesMeter),
    OfDisk("disk.write.byte.rate", "bytes written", kDiskWriteBytesMeter),
    OfDisk("disk.error.rate", "requests that failed", kDiskErrorMeter),
    Of(PartKind::kDisk, Level("disk.latency.p50", "ms", "time of a request, of half of them",
                              kMicrosPerMs, false, kBlock)),
    Of(PartKind::kDisk, Level("disk.latency.p99", "ms", "time of a request, of 99 in 100",
                              kMicrosPerMs, false, kBlock)),
    // Nothing observes it: see the hook.
    Of(PartKind::kDisk, Level("disk.throttled", "%", "time for which a limit held requests back",
                              kTenths, false, "blk_throttle")),
    OfTap("tap.from_guest.packet.rate", "packets from the guest", kTapSentPacketsMeter),
    OfTap("tap.from_guest.byte.rate", "bytes from the guest", kTapSentBytesMeter),
    OfTap("tap.from_guest.drop.rate", "packets from the guest that were dropped",
          kTapSentDropsMeter),
    OfTap("tap.from_guest.error.rate", "malformed packets from the guest", kTapSentErrorsMeter),
    OfTap("tap.to_guest.packet.rate", "packets to the guest", kTapReceivedPacketsMeter),
    OfTap("tap.to_guest.byte.rate", "bytes to the guest", kTapReceivedBytesMeter),
    OfTap("tap.to_guest.drop.rate", "packets that the guest did not take", kTapReceivedDropsMeter),
    OfTap("tap.to_guest.error.rate", "packets to the guest that failed", kTapReceivedErrorsMeter),
};

}  // namespace

std::span<const Feature> ResourceFeatures() { return kFeatures; }

}  // namespace kvmsentry
