#include "sensor/source/vfio/source.h"

#include <utility>

#include "sensor/base/load.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/take_bits.h"

namespace kvmsentry {

absl::StatusOr<std::unique_ptr<VfioSource>> VfioSource::Open(const Probe& probe,
                                                             SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      VfioTables tables, VfioTables::Open(probe, state, SourceId::kVfio, "vfio", KS_VFIO_VERSION));
  std::unique_ptr<VfioSource> source(new VfioSource(std::move(tables)));
  source->losses_ = LossesThatMatter(*source);
  return source;
}

void VfioSource::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  watched_[vm.vm] = vm.slot;
  tables_.SetLimits(vm, limits);
}

absl::Status VfioSource::Release(const VmPlace& vm) {
  watched_.erase(vm.vm);
  tables_.Release(vm);
  return absl::OkStatus();
}

// A VM without a device has counted nothing: that is told, too, for its rates are 0.
void VfioSource::Read(const Sampling& sampling, std::vector<Observation>* out) {
  static const FeatureId command = FeatureNamed("vfio.ioctl.command");
  const uint64_t losses = LossesThatMatter(*this);
  const bool lossy = std::exchange(losses_, losses) != losses;
  auto counts = std::make_shared<CountsByVm>(id(), KS_VFIO_METERS);
  for (const VmCounts& vm : tables_.ReadCounts()) counts->Put(vm.vm.vm, vm.count);
  if (counts->WentBackSince(*counts_)) tampered_ = "a count in the map vfio_vms went back";
  counts_ = std::move(counts);
  for (const auto& [vm, slot] : watched_) {
    ObserveCounts(sampling, vm, counts_->Of(vm), {}, lossy, out);
    if (!counts_->Has(vm)) continue;
    for (const uint32_t ioctl : TakeIoctls({vm, slot})) {
      ObserveMember(vm, sampling.now, command, ioctl, out);
    }
  }
}

std::vector<uint32_t> VfioSource::TakeIoctls(const VmPlace& vm) {
  std::vector<uint32_t> taken;
  ks_vfio_vm_row* row = tables_.RowOf(vm);
  if (row == nullptr || Load(row->changed) == 0) return taken;
  __atomic_store_n(&row->changed, 0, __ATOMIC_SEQ_CST);
  TakeAllBits(row->ioctls,
              [&](uint64_t member) { taken.push_back(static_cast<uint32_t>(member)); });
  return taken;
}

void VfioSource::TakeUntold(std::vector<Observation>* out) {
  ObserveUntold(tables_.TakeUntold(), out);
}

std::vector<Loss> VfioSource::Losses() const { return DescribeLosses(tables_.losses()); }

std::vector<Loss> DescribeLosses(const ks_vfio_losses& losses) {
  return {
      {"ring_full", "records that found no room in the ring: reported late, by the next tick",
       Load(losses.ring_full), true},
      {"row_lookup", "slots that led to no row of a table", Load(losses.row_lookup), true},
      {"missed_return", "calls whose return no kretprobe saw: not counted",
       Load(losses.missed_return), true},
      {"vfio_unattributed", "ioctls on VFIO of a process with several VMs: counted for no VM",
       Load(losses.vfio_unattributed), true},
      {"vfio_without_vm", "ioctls on VFIO of a process that has no VM",
       Load(losses.vfio_without_vm), false},
  };
}

}  // namespace kvmsentry
