// VMs that have ended while processes of them live on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "sensor/inventory/inventory.h"

namespace kvmsentry {

// Which of those that have ended have no process any more.
void Inventory::JudgeExited(InventoryChanges* changes) {
  for (auto it = vms_.begin(); it != vms_.end();) {
    it = it->second.exited != 0 ? Remove(it, GoneReason::kClosed, changes) : std::next(it);
  }
}

bool Inventory::IsExited(uint64_t serial) const {
  const auto vm = vms_.find(serial);
  return vm != vms_.end() && vm->second.exited != 0;
}

void Inventory::Keep(Vms::iterator vm, InventoryChanges* changes) {
  if (vm->second.exited != 0) return;
  DropOldestExited(changes);
  names_.Release(vm->second.naming.name, vm->second.facts.name);
  vm->second.exited = ++exits_;
  vm->second.holders.clear();
  changes->exited.push_back({vm->second.facts, vm->second.slot, true});
}

void Inventory::DropOldestExited(InventoryChanges* changes) {
  const auto is_exited = [](const auto& known) { return known.second.exited != 0; };
  if (std::ranges::count_if(vms_, is_exited) < static_cast<std::ptrdiff_t>(max_exited_)) return;
  const auto place = [](const auto& known) {
    return known.second.exited != 0 ? known.second.exited : UINT64_MAX;
  };
  Drop(std::ranges::min_element(vms_, {}, place), GoneReason::kClosed, changes);
}

}  // namespace kvmsentry
