#include "sensor/daemon/vm_registry.h"

#include <utility>

namespace kvmsentry {

const VmRecord* VmRegistry::Find(VmId vm) const {
  const auto found = records_.find(vm);
  return found == records_.end() ? nullptr : found->second.get();
}

void VmRegistry::Put(VmRecord record) {
  std::shared_ptr<const VmRecord>& kept = records_[record.entry.facts.id];
  if (kept != nullptr) {
    VmRecord changed = *kept;
    changed.entry = std::move(record.entry);
    record = std::move(changed);
  }
  kept = std::make_shared<const VmRecord>(std::move(record));
}

std::vector<VmId> VmRegistry::TakeDevices(const Inventory& inventory) {
  std::vector<VmId> different;
  for (auto& [id, record] : records_) {
    DeviceList devices = inventory.DevicesOf(id);
    if (devices == *record->devices) continue;
    VmRecord changed = *record;
    changed.devices = std::make_shared<const DeviceList>(std::move(devices));
    record = std::make_shared<const VmRecord>(std::move(changed));
    different.push_back(id);
  }
  return different;
}

std::vector<VmRegistry::TakenGiven> VmRegistry::TakeGiven(
    const GivenRecords& given, const std::function<absl::Time(KernelTime)>& wall) {
  std::vector<TakenGiven> taken;
  for (auto& [id, record] : records_) {
    if (record->entry.exited) continue;  // its number may be another process's
    const auto read = given.find(record->entry.facts.pid);
    // Of a process that no walk finds any more, as one that hides its VM, the latest stays.
    if (read == given.end() || read->second == record->given) continue;
    const uint64_t began = record->entry.facts.start_ticks;
    if (began != 0 && read->second->start_ticks != began) continue;  // another process's
    const GivenRecord* before = record->given.get();
    const bool changed = before != nullptr && read->second->changed_at &&
                         before->changed_at != read->second->changed_at;
    VmRecord with = *record;
    with.given = read->second;
    if (with.given->changed_at) with.given_changed_at = wall(*with.given->changed_at);
    record = std::make_shared<const VmRecord>(std::move(with));
    taken.push_back({id, changed});
  }
  return taken;
}

}  // namespace kvmsentry
