#include "sensor/source/vfio/tables.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sensor/base/load.h"
#include "sensor/source/limit_rows.h"
#include "sensor/source/take_bits.h"

namespace kvmsentry {

absl::StatusOr<VfioTables> VfioTables::Open(const Probe& probe, SharedState& state) {
  VfioTables tables;
  const size_t vms = probe.sizes().max_vms;
  const auto map = [&probe](const char* name, size_t count, auto& table) {
    auto rows = std::decay_t<decltype(table)>::Map(probe.MapFd(name), count, name);
    if (!rows.ok()) return rows.status();
    table = *std::move(rows);
    return absl::OkStatus();
  };
  KVMSENTRY_RETURN_IF_ERROR(map("vfio_losses", 1, tables.losses_));
  KVMSENTRY_RETURN_IF_ERROR(map("vfio_vms_used", vms, tables.used_));
  KVMSENTRY_RETURN_IF_ERROR(map("vfio_vms", vms, tables.vms_));
  KVMSENTRY_RETURN_IF_ERROR(map("vfio_limits", vms, tables.limits_));
  state.Finish(KS_SOURCE_VFIO, KS_VFIO_VERSION);
  return tables;
}

bool VfioTables::IsOf(const VmPlace& vm) const {
  return used_.Has(vm.slot) && Load(vms_[vm.slot].vm_serial) == vm.vm.serial;
}

std::vector<VmPlace> VfioTables::Places() const {
  std::vector<VmPlace> places;
  const auto end = static_cast<Slot>(vms_.size());
  for (Slot slot = used_.Next(0, end); slot < end; slot = used_.Next(slot + 1, end)) {
    places.push_back({{Load(vms_[slot].vm_serial)}, slot});
  }
  return places;
}

std::vector<VfioCounts> VfioTables::ReadCounts() const {
  std::vector<VfioCounts> all;
  for (const VmPlace& place : Places()) all.push_back(CountsOf(place));
  return all;
}

VfioCounts VfioTables::CountsOf(const VmPlace& vm) const {
  VfioCounts counts;
  counts.vm = vm;
  if (!IsOf(vm)) return counts;
  for (size_t meter = 0; meter < KS_VFIO_METERS; ++meter) {
    counts.count[meter] = Load(vms_[vm.slot].meters[meter].count);
  }
  return counts;
}

void VfioTables::SetLimits(const VmPlace& vm, std::span<const Limit> limits) {
  const bool any = std::ranges::any_of(
      limits, [](const Limit& limit) { return limit.meter.source == SourceId::kVfio; });
  // A row that nobody has set a limit in need not be mapped.
  if (!any && !IsOf(vm)) return;
  kvmsentry::SetLimits(SourceId::kVfio, limits, limits_[vm.slot].meters);
  if (IsOf(vm)) LookAtOnce(vms_[vm.slot].meters);
}

std::vector<ks_limit_crossed> VfioTables::TakeUntold() {
  const uint64_t ring_full = Load(losses().ring_full);  // which the programs count last
  if (std::exchange(ring_full_, ring_full) == ring_full) return {};
  std::vector<ks_limit_crossed> untold;
  const auto end = static_cast<Slot>(vms_.size());
  for (Slot slot = used_.Next(0, end); slot < end; slot = used_.Next(slot + 1, end)) {
    const VmId id{Load(vms_[slot].vm_serial)};
    if (id.serial == 0) continue;
    kvmsentry::TakeUntold(SourceId::kVfio, id, limits_[slot].meters, &untold);
  }
  return untold;
}

std::vector<uint32_t> VfioTables::TakeIoctls(const VmPlace& vm) {
  std::vector<uint32_t> taken;
  if (!IsOf(vm) || Load(vms_[vm.slot].changed) == 0) return taken;
  __atomic_store_n(&vms_[vm.slot].changed, 0, __ATOMIC_SEQ_CST);
  TakeAllBits(vms_[vm.slot].ioctls,
              [&](uint64_t member) { taken.push_back(static_cast<uint32_t>(member)); });
  return taken;
}

void VfioTables::Release(const VmPlace& vm) {
  std::memset(&limits_[vm.slot], 0, sizeof(ks_vfio_limits));
  if (!used_.Has(vm.slot)) return;
  std::memset(&vms_[vm.slot], 0, sizeof(ks_vfio_vm_row));
  used_.Clear(vm.slot);
}

}  // namespace kvmsentry
