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

}  // namespace kvmsentry
