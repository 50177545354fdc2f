#include "sensor/source/vhost/tables.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <bpf/bpf.h>
#include <fcntl.h>

#include "sensor/base/load.h"
#include "sensor/source/limit_rows.h"
#include "sensor/source/take_bits.h"

namespace kvmsentry {

absl::StatusOr<VhostTables> VhostTables::Open(const Probe& probe, SharedState& state) {
  VhostTables tables;
  const MapSizes& sizes = probe.sizes();
  const auto map = [&probe](const char* name, size_t count, auto& table) {
    auto rows = std::decay_t<decltype(table)>::Map(probe.MapFd(name), count, name);
    if (!rows.ok()) return rows.status();
    table = *std::move(rows);
    return absl::OkStatus();
  };
  KVMSENTRY_RETURN_IF_ERROR(map("vhost_losses", 1, tables.losses_));
  KVMSENTRY_RETURN_IF_ERROR(map("queues", sizes.max_queues, tables.queues_));
  KVMSENTRY_RETURN_IF_ERROR(map("vhost_vms_used", sizes.max_vms, tables.vms_used_));
  KVMSENTRY_RETURN_IF_ERROR(map("vhost_vms", sizes.max_vms, tables.vms_));
  RowTable<ks_vhost_limits> limits;
  KVMSENTRY_RETURN_IF_ERROR(map("vhost_limits", sizes.max_vms, limits));
  tables.limits_ = LimitTable(SourceId::kVhost, std::move(limits));
  KVMSENTRY_ASSIGN_OR_RETURN(
      tables.pool_, SlotPool::Open(probe.MapFd("queue_slots"), probe.MapFd("free_queue_slots"),
                                   probe.MapFd("queues_used"), sizes.max_queues, "queues"));
  tables.stray_queues_ = Fd(fcntl(probe.MapFd("stray_queues"), F_DUPFD_CLOEXEC, 0));
  if (!tables.stray_queues_) return absl::ErrnoToStatus(errno, "map stray_queues");
  KVMSENTRY_RETURN_IF_ERROR(tables.pool_.Recover(state.IsFresh(KS_SOURCE_VHOST), [&](Slot slot) {
    return Load(tables.queues_[slot].vm_serial) != 0;
  }));
  tables.IndexQueues();
  state.Finish(KS_SOURCE_VHOST, KS_VHOST_VERSION);
  return tables;
}

bool VhostTables::IsOf(const VmPlace& vm) const {
  return vms_used_.Has(vm.slot) && Load(vms_[vm.slot].vm_serial) == vm.vm.serial;
}

std::vector<VmPlace> VhostTables::Places() const {
  std::vector<VmPlace> places;
  for (const VhostCounts& counts : ReadCounts()) places.push_back(counts.vm);
  // A program may have been about to claim the VM's row.
  for (const ks_queue_row& row : queues()) {
    const VmPlace place{{Load(row.vm_serial)}, Load(row.vm_slot)};
    if (place.vm.serial != 0 && place.slot < vms_.size()) places.push_back(place);
  }
  return places;
}

std::vector<VhostCounts> VhostTables::ReadCounts() const {
  std::vector<VhostCounts> all;
  const auto end = static_cast<Slot>(vms_.size());
  for (Slot slot = vms_used_.Next(0, end); slot < end; slot = vms_used_.Next(slot + 1, end)) {
    const ks_vhost_vm_row& row = vms_[slot];
    VhostCounts& counts = all.emplace_back();
    counts.vm = {{Load(row.vm_serial)}, slot};
    for (size_t meter = 0; meter < KS_VHOST_METERS; ++meter) {
      counts.count[meter] = Load(row.retired[meter]);
    }
  }
  for (const ks_queue_row& row : queues()) {
    const auto found = std::ranges::lower_bound(
        all, Load(row.vm_slot), {}, [](const VhostCounts& counts) { return counts.vm.slot; });
    const uint64_t serial = Load(row.vm_serial);
    if (found == all.end() || serial == 0 || found->vm != VmPlace{{serial}, Load(row.vm_slot)}) {
      continue;
    }
    if (Load(row.queue) != 0) ++found->queues;
    for (uint32_t meter = 0; meter < KS_VHOST_METERS; ++meter) {
      found->count[meter] += Load(row.meters[meter].count);
    }
  }
  return all;
}

VhostCounts VhostTables::CountsOf(const VmPlace& vm) const {
  for (const VhostCounts& counts : ReadCounts()) {
    if (counts.vm == vm) return counts;
  }
  VhostCounts none;
  none.vm = vm;
  return none;
}

std::vector<QueueParts::Row> VhostTables::ReadQueues(const VmPlace& vm) const {
  std::vector<QueueParts::Row> rows;
  for (const Slot slot : QueuesOf(vm)) {
    const ks_queue_row& from = queues_[slot];
    QueueParts::Row& row = rows.emplace_back();
    row.device = Load(from.device);
    row.index = Load(from.index);
    row.first_ns = Load(from.first_ns);
    for (size_t meter = 0; meter < KS_VHOST_METERS; ++meter) {
      row.count[meter] = Load(from.meters[meter].count);
    }
  }
  std::ranges::sort(rows, {}, &QueueParts::Row::first_ns);
  return rows;
}

void VhostTables::SetLimits(const VmPlace& vm, std::span<const Limit> limits) {
  if (!limits_.Concerns(limits) && !IsOf(vm)) return;
  limits_.Set(vm.slot, limits);
  if (!IsOf(vm)) return;
  for (const Slot slot : QueuesOf(vm)) LookAtOnce(queues_[slot].meters);
}

std::vector<ks_limit_crossed> VhostTables::TakeUntold() {
  return limits_.TakeUntold(Load(losses().ring_full), [this] {
    std::vector<VmPlace> places;
    for (const VhostCounts& counts : ReadCounts()) places.push_back(counts.vm);
    return places;
  });
}

VhostMembers VhostTables::TakeMembers(const VmPlace& vm) {
  VhostMembers taken;
  if (!IsOf(vm)) return taken;
  ks_vhost_vm_row& row = vms_[vm.slot];
  const auto to = [](std::vector<uint32_t>& members) {
    return [&members](uint64_t member) { members.push_back(static_cast<uint32_t>(member)); };
  };
  TakeBits(row.rings_outside, 0, to(taken.rings_outside));
  if (Load(row.changed) == 0) return taken;
  __atomic_store_n(&row.changed, 0, __ATOMIC_SEQ_CST);
  TakeAllBits(row.ioctls, to(taken.ioctls));
  TakeAllBits(row.refused, to(taken.refused));
  return taken;
}

// A worker may be counting on a queue just now: its row rests until FoldQueues has seen it twice.
void VhostTables::Release(const VmPlace& vm) {
  for (const Slot slot : QueuesOf(vm)) {
    ks_queue_row& row = queues_[slot];
    const ks_stray_queue stray = {.mm = Load(row.mm), .births = 0, .outlived = 1};
    const uint64_t address = __atomic_exchange_n(&row.queue, 0, __ATOMIC_RELAXED);
    if (address != 0) bpf_map_update_elem(stray_queues_.get(), &address, &stray, BPF_ANY);
  }
  limits_.Clear(vm.slot);
  if (!vms_used_.Has(vm.slot)) return;
  std::memset(&vms_[vm.slot], 0, sizeof(ks_vhost_vm_row));
  vms_used_.Clear(vm.slot);
}

void VhostTables::FoldQueues() {
  const auto end = static_cast<Slot>(queues_.size());
  for (Slot slot = pool_.used().Next(0, end); slot < end; slot = pool_.used().Next(slot + 1, end)) {
    ks_queue_row& row = queues_[slot];
    const uint64_t serial = Load(row.vm_serial);
    if (serial == 0 || Load(row.queue) != 0) continue;
    const Slot vm = Load(row.vm_slot);
    if (std::exchange(row.going, 1) == 0 || vm >= vms_.size()) continue;
    if (IsOf({{serial}, vm})) {
      for (size_t meter = 0; meter < KS_VHOST_METERS; ++meter) {
        vms_[vm].retired[meter] += Load(row.meters[meter].count);
      }
      __atomic_fetch_sub(&vms_[vm].queues, 1, __ATOMIC_RELAXED);
    }
    const uint64_t address = Load(row.address);
    pool_.Forget(address, slot, [&](Slot older) {
      uint64_t expected = address;
      __atomic_compare_exchange_n(&queues_[older].queue, &expected, 0, false, __ATOMIC_SEQ_CST,
                                  __ATOMIC_RELAXED);
    });
    std::memset(&row, 0, sizeof(row));
    (void)pool_.Free(slot);  // the queue has room for all slots
  }
  IndexQueues();
}

void VhostTables::IndexQueues() const {
  index_.clear();
  const auto rows = queues();
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    if (Load((*row).vm_serial) != 0) index_.emplace_back(Load((*row).vm_slot), row.slot());
  }
  std::ranges::sort(index_);
}

// A program counts a queue in its VM's row once it has made the queue's.
std::vector<Slot> VhostTables::QueuesOf(const VmPlace& vm) const {
  const auto look = [&] {
    std::vector<Slot> slots;
    auto entry = std::ranges::lower_bound(index_, std::pair<Slot, Slot>(vm.slot, 0));
    for (; entry != index_.end() && entry->first == vm.slot; ++entry) {
      if (Load(queues_[entry->second].vm_serial) == vm.vm.serial) slots.push_back(entry->second);
    }
    return slots;
  };
  std::vector<Slot> slots = look();
  if (!IsOf(vm) || slots.size() == Load(vms_[vm.slot].queues)) return slots;
  IndexQueues();
  return look();
}

}  // namespace kvmsentry
