#include "sensor/source/vhost/source.h"

#include <algorithm>
#include <utility>

#include "sensor/base/load.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {

absl::StatusOr<std::unique_ptr<VhostSource>> VhostSource::Open(const Probe& probe,
                                                               SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(VhostTables tables, VhostTables::Open(probe, state));
  return std::unique_ptr<VhostSource>(new VhostSource(std::move(tables)));
}

void VhostSource::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  watched_[vm.vm] = vm.slot;
  tables_.SetLimits(vm, limits);
}

void VhostSource::Unwatch(VmId vm) {
  watched_.erase(vm);
  queues_.erase(vm);
}

absl::Status VhostSource::Release(const VmPlace& vm) {
  Unwatch(vm.vm);
  tables_.Release(vm);
  return absl::OkStatus();
}

// A VM without a queue has counted nothing: that is told, too, for its rates are 0.
void VhostSource::Read(const Sampling& sampling, Reading* out) {
  const bool by_queue = std::ranges::any_of(
      sampling.rates, [](const Feature* rate) { return rate->part == PartKind::kQueue; });
  tables_.FoldQueues();
  const std::vector<VhostCounts> read = tables_.ReadCounts();
  auto counts = std::make_shared<CountsByVm>(id(), KS_VHOST_METERS, read.size());
  for (const VhostCounts& vm : read) {
    std::ranges::copy(vm.count, counts->Add(vm.vm).begin());
  }
  if (counts->WentBackSince(*counts_)) tampered_ = "a count in the map queues went back";
  const auto before = std::exchange(counts_, std::move(counts));
  for (const auto& [vm, slot] : watched_) {
    const VmPlace place{vm, slot};
    const bool heard = !sampling.heard->Of(vm).empty();
    const bool has_row = counts_->Has(place);
    if (heard && !has_row) continue;
    const std::span<const uint64_t> count = counts_->Of(place);
    ObserveCounts(sampling, vm, count, {}, &out->counts);
    if (!has_row) continue;
    // Whose sum is as it was, its queues are.
    const bool rests = heard && std::ranges::equal(count, before->Of(place));
    if (by_queue && !rests) ReadQueues(sampling, place, &out->counts);
    ReadMembers(place, &out->sightings);
  }
  tables_.GiveLimitsBack();
}

void VhostSource::ReadQueues(const Sampling& sampling, const VmPlace& vm, std::vector<Count>* out) {
  for (const QueueParts::Part& part : queues_[vm.vm].Take(tables_.ReadQueues(vm))) {
    ObserveCounts(sampling, vm.vm, part.count, {}, out, part.id);
  }
}

void VhostSource::ReadMembers(const VmPlace& vm, std::vector<Sighting>* out) {
  static const FeatureId ring = FeatureNamed("vhost.ring");
  static const FeatureId command = FeatureNamed("vhost.config.command");
  static const FeatureId refused = FeatureNamed("vhost.config.refused");
  const auto observe = [&](FeatureId feature, const std::vector<uint32_t>& members) {
    for (const uint32_t member : members) out->push_back({vm.vm, feature, member});
  };
  const VhostMembers members = tables_.TakeMembers(vm);
  observe(command, members.ioctls);
  observe(refused, members.refused);
  observe(ring, members.rings_outside);
}

void VhostSource::TakeUntold(std::vector<Observation>* out) {
  ObserveUntold(tables_.TakeUntold(), out);
}

std::vector<Loss> VhostSource::Losses() const { return DescribeLosses(tables_.losses()); }

std::vector<Loss> DescribeLosses(const ks_vhost_losses& losses) {
  return {
      {"ring_full", "records that found no room in the ring: reported late, by the next tick",
       Load(losses.ring_full), true},
      {"table_update", "failed updates of the kernel's tables of VMs, vCPUs and virtqueues",
       Load(losses.table_update), true},
      {"row_lookup", "slots that led to no row of a table", Load(losses.row_lookup), true},
      {"missed_return", "calls whose return no kretprobe saw: not counted",
       Load(losses.missed_return), true},
      {"no_queue_slot", "occurrences on a virtqueue beyond --max-queues, which is not counted",
       Load(losses.no_queue_slot), true},
      {"queue_unattributed",
       "occurrences on virtqueues that could be of several VMs of a process: counted for no VM",
       Load(losses.queue_unattributed), true},
      {"queue_without_vm", "occurrences on virtqueues of a process that has no VM (yet)",
       Load(losses.queue_without_vm), false},
  };
}

}  // namespace kvmsentry
