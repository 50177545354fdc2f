#include "sensor/source/vmm/vmms.h"

namespace kvmsentry {

void Vmms::Put(VmId vm, const VmmProcess& process) {
  const auto known = processes_.find(vm);
  if (known != processes_.end() && known->second == process) return;
  Remove(vm);
  processes_.emplace(vm, process);
  vms_[process].insert(vm);
}

void Vmms::Remove(VmId vm) {
  const auto known = processes_.find(vm);
  if (known == processes_.end()) return;
  const auto siblings = vms_.find(known->second);
  siblings->second.erase(vm);
  if (siblings->second.empty()) vms_.erase(siblings);
  processes_.erase(known);
}

std::optional<VmmProcess> Vmms::Of(VmId vm) const {
  const auto known = processes_.find(vm);
  return known == processes_.end() ? std::nullopt : std::optional(known->second);
}

const std::set<VmId>& Vmms::Siblings(VmId vm) const {
  static const std::set<VmId> kNone;
  const auto process = Of(vm);
  return process ? vms_.at(*process) : kNone;
}

}  // namespace kvmsentry
