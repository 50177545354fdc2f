#include "sensor/source/vmm/vmms.h"

#include <utility>

namespace kvmsentry {

void Vmms::Put(VmId vm, const VmmProcess& process) {
  std::vector<VmmProcess> now = Of(vm);
  if (!now.empty() && now.back() == process) return;
  if (now.size() > 1) now.pop_back();
  if (now.empty() || now.front() != process) now.push_back(process);
  Remove(vm);
  for (const VmmProcess& its : now) vms_[its].insert(vm);
  processes_.emplace(vm, std::move(now));
}

void Vmms::Remove(VmId vm) {
  for (const VmmProcess& its : Of(vm)) {
    const auto vms = vms_.find(its);
    vms->second.erase(vm);
    if (vms->second.empty()) vms_.erase(vms);
  }
  processes_.erase(vm);
}

std::vector<VmmProcess> Vmms::Of(VmId vm) const {
  const auto known = processes_.find(vm);
  return known == processes_.end() ? std::vector<VmmProcess>() : known->second;
}

const std::set<VmId>& Vmms::VmsOf(const VmmProcess& process) const {
  static const std::set<VmId> kNone;
  const auto vms = vms_.find(process);
  return vms == vms_.end() ? kNone : vms->second;
}

}  // namespace kvmsentry
