// The table of a source's limits, mapped into this process: a row a VM, in the slot of the VM's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "bpf/records.h"
#include "sensor/base/ids.h"
#include "sensor/feature/limit.h"
#include "sensor/probe/row_table.h"
#include "sensor/source/limit_rows.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// ROW has `meters`, one ks_meter_limits for each of the source's. Move-only. Not thread safe
// against itself; the kernel's programs run beside it.
template <typename Row>
class LimitTable {
 public:
  LimitTable() = default;
  LimitTable(SourceId source, RowTable<Row> rows) : source_(source), rows_(std::move(rows)) {}

  Row& operator[](Slot slot) { return rows_[slot]; }
  bool failed() const { return rows_.failed(); }

  // Whether any of LIMITS is the source's. A row that nobody has set a limit in need not be mapped.
  bool Concerns(std::span<const Limit> limits) const {
    return std::ranges::any_of(
        limits, [this](const Limit& limit) { return limit.meter.source == source_; });
  }

  // See SetLimits().
  void Set(Slot slot, std::span<const Limit> limits) {
    SetLimits(source_, limits, rows_[slot].meters);
  }

  void Clear(Slot slot) { std::memset(&rows_[slot], 0, sizeof(Row)); }

  // See kvmsentry::TakeUntold(); of the VMs in PLACES(), which are looked at only where RING_FULL
  // has grown since the last time: the records of the source's that found no room in the ring. It
  // is what programs count last.
  template <typename Places>
  std::vector<ks_limit_crossed> TakeUntold(uint64_t ring_full, const Places& places) {
    if (std::exchange(ring_full_, ring_full) == ring_full) return {};
    std::vector<ks_limit_crossed> untold;
    for (const VmPlace& place : places()) {
      if (place.vm.serial == 0) continue;
      kvmsentry::TakeUntold(source_, place.vm, rows_[place.slot].meters, &untold);
    }
    return untold;
  }

  // Rows are visited when a VM comes, changes or goes. Nobody may hold one.
  void GiveBack() { rows_.GiveBack(); }

 private:
  SourceId source_{};
  RowTable<Row> rows_;
  uint64_t ring_full_ = 0;  // when TakeUntold() looked last
};

}  // namespace kvmsentry
