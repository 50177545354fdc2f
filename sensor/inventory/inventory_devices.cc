// What the inventory knows of each VM's devices.
#include <algorithm>
#include <cstddef>
#include <map>

#include "sensor/inventory/inventory.h"

namespace kvmsentry {

void Inventory::TakeDevices(const Walk& walk, const Held& held) {
  std::map<int32_t, size_t> vms_of;
  for (const auto& [kvm, holders] : held) {
    for (const int32_t pid : holders.pids) ++vms_of[pid];
  }
  devices_ = walk.devices;
  for (auto& [pid, list] : devices_) {
    for (Device& device : list.devices) device.shared_by_process = vms_of[pid] > 1;
    if (vms_of[pid] > 1) list.windows.clear();
  }
  oldest_of_.clear();
  for (auto& [serial, vm] : vms_) {
    const auto holders = held.find(vm.kvm);
    if (vm.exited != 0 || holders == held.end()) continue;
    vm.holders.assign(holders->second.pids.begin(), holders->second.pids.end());
    for (const int32_t pid : vm.holders) oldest_of_.try_emplace(pid, serial);
  }
}

DeviceList Inventory::DevicesOf(VmId vm) const {
  const auto known = vms_.find(vm.serial);
  if (known == vms_.end()) return {};
  DeviceList list = DevicesOf(known->second.holders);
  for (Device& device : list.devices) {
    const auto oldest = oldest_of_.find(device.pid);
    device.another_vms = oldest != oldest_of_.end() && oldest->second != vm.serial;
  }
  return list;
}

DeviceList Inventory::DevicesOf(std::span<const int32_t> holders) const {
  DeviceList all;
  for (const int32_t pid : holders) {
    const auto list = devices_.find(pid);
    if (list == devices_.end()) continue;
    if (all.cgroup == 0) all.cgroup = list->second.cgroup;
    if (all.windows.empty()) all.windows = list->second.windows;  // the VM's, whoever holds it
    const std::vector<Device>& devices = list->second.devices;
    const size_t taken = std::min(devices.size(), kMaxDevices - all.devices.size());
    all.devices.insert(all.devices.end(), devices.begin(),
                       devices.begin() + static_cast<std::ptrdiff_t>(taken));
    all.left_out += list->second.left_out + (devices.size() - taken);
  }
  return all;
}

}  // namespace kvmsentry
