#include "sensor/daemon/observer.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <variant>

#include "spdlog/spdlog.h"

#include "sensor/daemon/tamper.h"
#include "sensor/record/decode.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

// The features of the sets in the kernel's tables.
struct SetFeatures {
  FeatureId port = FeatureNamed("pio.port");
  FeatureId msr = FeatureNamed("msr.written");
  FeatureId exit = FeatureNamed("exit.reason");
  FeatureId page = FeatureNamed("mmio.page");
  FeatureId ioctl = FeatureNamed("ioctl.command");
  FeatureId vhost_ioctl = FeatureNamed("vhost.config.command");
  FeatureId vfio_ioctl = FeatureNamed("vfio.ioctl.command");
  FeatureId exit_reason = FeatureNamed("userspace_exit.reason");
  FeatureId hypercall = FeatureNamed("hypercall.number");
};

const SetFeatures& Sets() {
  static const SetFeatures sets;
  return sets;
}

// Of KS_IOCTL_MEMBER, the feature and its member there.
std::pair<FeatureId, uint64_t> IoctlMember(uint32_t ioctl) {
  const SetFeatures& sets = Sets();
  constexpr uint32_t kKind = 256;
  if (ioctl < KS_IOCTL_VHOST * kKind) return {sets.ioctl, ioctl};
  if (ioctl < KS_IOCTL_VFIO * kKind) {
    return {sets.vhost_ioctl, ioctl - KS_IOCTL_VHOST * kKind};
  }
  return {sets.vfio_ioctl, ioctl - KS_IOCTL_VFIO * kKind};
}

}  // namespace

void Observer::Observe(Observation observation) {
  observation.serial = ++serial_;
  engine_.Observe(observation);
}

void Observer::TakeRecord(std::span<const std::byte> bytes, bool lossy) {
  absl::StatusOr<Record> record = Decode(bytes);
  if (!record.ok()) {
    if (bad_records_++ == 0) spdlog::error("{}", std::string(record.status().message()));
  } else if (std::holds_alternative<VmBorn>(*record)) {
    born_ = true;
  } else if (const auto* canary = std::get_if<Canary>(&*record)) {
    self_.CanaryReturned(canary->number);
  } else {
    Observation crossed = std::get<Observation>(*record);
    recorded_at_ = std::max(recorded_at_, crossed.time);
    crossed.lossy = lossy;
    Observe(crossed);
  }
}

void Observer::Drain() {
  // What is lost since the last sample the next one will tell; an alert raised before says so too.
  const bool lossy = LossesThatMatter(probe_.tables().losses()) != losses_;
  const auto take = [&](std::span<const std::byte> bytes) { TakeRecord(bytes, lossy); };
  probe_.DrainRing(take);
  for (const ks_limit_crossed& untold : probe_.tables().TakeUntold()) {
    take(std::as_bytes(std::span(&untold, 1)));
  }
}

void Observer::Sample(const VmRegistry& registry, const CoverageBoard& coverage, KernelTime now) {
  if (std::exchange(sampled_at_, now) == now) return;
  const uint64_t losses = LossesThatMatter(probe_.tables().losses());
  const bool lossy = std::exchange(losses_, losses) != losses;
  probe_.tables().FoldQueues();
  auto counts = std::make_shared<const std::vector<VmCounts>>(
      ReadCounts(probe_.tables().vms(), probe_.tables().vcpus(), probe_.tables().queues()));
  if (WentBack(*counts_, *counts)) {
    self_.Tampered("a count in the map vcpus or queues went back", now);
  }
  counts_ = std::move(counts);
  std::vector<Observation> observations;
  for (const VmCounts& vm : *counts_) {
    if (registry.Knows(vm.vm)) AppendObservations(vm, now, coverage.active(), lossy, observations);
  }
  const auto known = [&](VmId vm) { return registry.Knows(vm); };
  for (const Tables::Members& members : probe_.tables().TakeMembers(known)) {
    ObserveMembers(members, now);
  }
  for (const Observation& observation : observations) Observe(observation);
}

void Observer::ObserveMembers(const Tables::Members& members, KernelTime now) {
  const auto observe = [&](FeatureId feature, uint64_t member) {
    Observe({.time = now,
             .vm = members.vm,
             .kind = ObservationKind::kMember,
             .feature = feature,
             .serial = 0,
             .value = member,
             .window_ns = 0,
             .detail = member});
  };
  const SetFeatures& sets = Sets();
  for (const uint16_t port : members.ports) observe(sets.port, port);
  for (const uint32_t msr : members.msrs_written) observe(sets.msr, msr);
  for (const uint32_t exit : members.exits) observe(sets.exit, exit);
  for (const uint64_t page : members.mmio_pages) observe(sets.page, page);
  for (const uint32_t ioctl : members.ioctls) {
    const auto [feature, member] = IoctlMember(ioctl);
    observe(feature, member);
  }
  if (members.mmio_overflow != 0) observe(sets.page, kUntoldMember);
  if (members.msr_overflow != 0) observe(sets.msr, kUntoldMember);
  const auto observe_bits = [&](FeatureId feature, uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      observe(feature, static_cast<uint64_t>(std::countr_zero(bits)));
    }
  };
  observe_bits(sets.exit_reason, members.exit_reasons);
  observe_bits(sets.hypercall, members.hypercalls);
}

}  // namespace kvmsentry
