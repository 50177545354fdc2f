// The tables of a source that has one row of each VM as a whole, in the slot of the VM's row in the
// table of VMs (bpf/vm_claim.bpf.h), mapped into this process: read without system calls.
//
// A source NAME, of a source number, has the maps NAME_losses, NAME_vms, NAME_vms_used and
// NAME_limits. ROW has vm_serial and meters; LIMITS has meters; LOSSES has ring_full.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bpf/records.h"
#include "sensor/base/load.h"
#include "sensor/base/status.h"
#include "sensor/feature/limit.h"
#include "sensor/probe/mapped_rows.h"
#include "sensor/probe/probe.h"
#include "sensor/probe/row_table.h"
#include "sensor/source/limit_table.h"
#include "sensor/source/shared_state.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// Move-only. Not thread safe against itself; the kernel's programs run beside it.
template <typename Row, typename Limits, typename Losses>
class VmTables {
 public:
  using RowType = Row;
  static constexpr size_t kMeters = std::extent_v<decltype(Row::meters)>;

  static absl::StatusOr<VmTables> Open(const Probe& probe, SharedState& state, SourceId source,
                                       const std::string& name, uint32_t version) {
    VmTables tables(name);
    const size_t vms = probe.sizes().max_vms;
    const auto map = [&](const char* suffix, size_t count, auto& table) {
      const std::string full = absl::StrCat(name, suffix);
      auto rows = std::decay_t<decltype(table)>::Map(probe.MapFd(full), count, full);
      if (!rows.ok()) return rows.status();
      table = *std::move(rows);
      return absl::OkStatus();
    };
    KVMSENTRY_RETURN_IF_ERROR(map("_losses", 1, tables.losses_));
    KVMSENTRY_RETURN_IF_ERROR(map("_vms_used", vms, tables.used_));
    KVMSENTRY_RETURN_IF_ERROR(map("_vms", vms, tables.vms_));
    RowTable<Limits> limits;
    KVMSENTRY_RETURN_IF_ERROR(map("_limits", vms, limits));
    tables.limits_ = LimitTable<Limits>(source, std::move(limits));
    state.Finish(static_cast<ks_source>(source), version);
    return tables;
  }

  const std::string& name() const { return name_; }
  const Losses& losses() const { return losses_.rows()[0]; }

  // The VMs that have rows here.
  std::vector<VmPlace> Places() const {
    std::vector<VmPlace> places;
    const auto end = static_cast<Slot>(vms_.size());
    for (Slot slot = used_.Next(0, end); slot < end; slot = used_.Next(slot + 1, end)) {
      places.push_back({{Load(vms_[slot].vm_serial)}, slot});
    }
    return places;
  }

  // By meter; COUNTS stay as they are for a VM without a row.
  void CopyCounts(const VmPlace& vm, std::span<uint64_t> counts) const {
    if (!IsOf(vm)) return;
    for (size_t meter = 0; meter < kMeters; ++meter) {
      counts[meter] = Load(vms_[vm.slot].meters[meter].count);
    }
  }

  // The row of VM; nullptr while it has none.
  Row* RowOf(const VmPlace& vm) { return IsOf(vm) ? &vms_[vm.slot] : nullptr; }

  // Of the VM in SLOT: what user space says of it to the programs.
  Limits& LimitsOf(Slot slot) { return limits_[slot]; }

  void SetLimits(const VmPlace& vm, std::span<const Limit> limits) {
    if (!limits_.Concerns(limits) && !IsOf(vm)) return;
    limits_.Set(vm.slot, limits);
    if (IsOf(vm)) LookAtOnce(vms_[vm.slot].meters);
  }

  std::vector<ks_limit_crossed> TakeUntold() {
    return limits_.TakeUntold(Load(losses().ring_full), [this] { return Places(); });
  }

  void GiveLimitsBack() { limits_.GiveBack(); }

  void Release(const VmPlace& vm) {
    limits_.Clear(vm.slot);
    if (!used_.Has(vm.slot)) return;
    std::memset(&vms_[vm.slot], 0, sizeof(Row));
    used_.Clear(vm.slot);
  }

 private:
  explicit VmTables(std::string name) : name_(std::move(name)) {}

  bool IsOf(const VmPlace& vm) const {
    return used_.Has(vm.slot) && Load(vms_[vm.slot].vm_serial) == vm.vm.serial;
  }

  std::string name_;
  MappedRows<const Losses> losses_;
  RowsInUse used_;
  RowTable<Row> vms_;
  LimitTable<Limits> limits_;
};

}  // namespace kvmsentry
