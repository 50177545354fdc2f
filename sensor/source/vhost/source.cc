#include "sensor/source/vhost/source.h"

#include <utility>

#include "sensor/base/load.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/observe.h"
#include "sensor/source/vhost/bpf.h"

namespace kvmsentry {

absl::StatusOr<std::unique_ptr<VhostSource>> VhostSource::Open(const Probe& probe,
                                                               SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(VhostTables tables, VhostTables::Open(probe, state));
  std::unique_ptr<VhostSource> source(new VhostSource(probe, std::move(tables)));
  source->losses_ = LossesThatMatter(*source);
  return source;
}

void VhostSource::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  watched_[vm.vm] = vm.slot;
  tables_.SetLimits(vm, limits);
}

absl::Status VhostSource::Release(const VmPlace& vm) {
  watched_.erase(vm.vm);
  counts_.erase(vm.vm);
  tables_.Release(vm);
  return absl::OkStatus();
}

// A VM without a queue has counted nothing: that is told, too, for its rates are 0.
void VhostSource::Read(KernelTime now, std::span<const FeatureId> active,
                       std::vector<Observation>* out) {
  static const FeatureId command = FeatureNamed("vhost.config.command");
  const uint64_t losses = LossesThatMatter(*this);
  const bool lossy = std::exchange(losses_, losses) != losses;
  tables_.FoldQueues();
  counts_.clear();
  for (const VhostCounts& counts : tables_.ReadCounts()) counts_[counts.vm.vm] = counts;
  static const VhostCounts none;
  for (const auto& [vm, slot] : watched_) {
    const auto counts = counts_.find(vm);
    ObserveCounts(id(), vm, now, active,
                  counts == counts_.end() ? none.count : counts->second.count, {}, lossy, out);
    if (counts == counts_.end()) continue;
    for (const uint32_t number : tables_.TakeIoctls({vm, slot})) {
      ObserveMember(vm, now, command, number, out);
    }
  }
}

void VhostSource::TakeUntold(std::vector<Observation>* out) {
  ObserveUntold(tables_.TakeUntold(), out);
}

std::vector<Provider> VhostSource::Providers() const {
  return ProvidersOf(probe_->coverage(), VhostBpf().hooks);
}

std::vector<Loss> VhostSource::Losses() const { return DescribeLosses(tables_.losses()); }

void VhostSource::Show(const VmPlace& vm, bool /*with_exits*/, VmDetails* details) const {
  const auto counts = counts_.find(vm.vm);
  const VhostCounts none;
  ShowCounts(id(), counts == counts_.end() ? none.count : counts->second.count, details);
}

std::vector<Loss> DescribeLosses(const ks_vhost_losses& losses) {
  return {
      {"ring_full", "records that found no room in the ring: told late, by the next tick",
       Load(losses.ring_full), true},
      {"table_update", "failed updates of the kernel's tables of virtqueues",
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
