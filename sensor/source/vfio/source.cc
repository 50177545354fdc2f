#include "sensor/source/vfio/source.h"

#include <utility>

#include "sensor/base/load.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/take_bits.h"

namespace kvmsentry {
namespace {

std::vector<uint32_t> TakeIoctlsOf(ks_vfio_vm_row& row) {
  std::vector<uint32_t> taken;
  if (Load(row.changed) == 0) return taken;
  __atomic_store_n(&row.changed, 0, __ATOMIC_SEQ_CST);
  TakeAllBits(row.ioctls, [&](uint64_t member) { taken.push_back(static_cast<uint32_t>(member)); });
  return taken;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VfioSource>> VfioSource::Open(const Probe& probe,
                                                             SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(
      VfioTables tables, VfioTables::Open(probe, state, SourceId::kVfio, "vfio", KS_VFIO_VERSION));
  return std::unique_ptr<VfioSource>(new VfioSource(std::move(tables)));
}

std::vector<uint32_t> VfioSource::TakeIoctls(const VmPlace& vm) {
  ks_vfio_vm_row* row = tables_.RowOf(vm);
  return row == nullptr ? std::vector<uint32_t>() : TakeIoctlsOf(*row);
}

void VfioSource::ReadRow(VmId vm, ks_vfio_vm_row& row, KernelTime /*now*/, Reading* out) {
  static const FeatureId command = FeatureNamed("vfio.ioctl.command");
  for (const uint32_t ioctl : TakeIoctlsOf(row)) out->sightings.push_back({vm, command, ioctl});
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
