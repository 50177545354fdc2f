#include "sensor/source/kvm/owner_book.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kRootCgroup = 1;  // include/linux/cgroup.h, cgroup_id() of the root

}  // namespace

std::vector<OwnedThing> ThingsOf(const VmFacts& facts, const DeviceList& devices) {
  std::vector<OwnedThing> things = {{KS_OWNER_PROCESS, static_cast<uint64_t>(facts.pid)}};
  if (devices.cgroup > kRootCgroup) things.push_back({KS_OWNER_CGROUP, devices.cgroup});
  for (const Device& device : devices.devices) {
    if (device.shared_by_process) continue;
    // What is only read, as the image below several others, is nobody's alone.
    if (device.kind == DeviceKind::kDisk && device.writable) {
      things.push_back({KS_OWNER_FILE, DeviceNumber(device.major, device.minor), device.inode});
    } else if (device.kind == DeviceKind::kMemory) {
      things.push_back({.kind = KS_OWNER_FILE,
                        .id = DeviceNumber(device.major, device.minor),
                        .within = device.inode,
                        .is_memory = true});
    } else if (device.kind == DeviceKind::kTap && device.ifindex != 0) {
      things.push_back({KS_OWNER_INTERFACE, device.ifindex, device.net_ns});
    }
  }
  return things;
}

void OwnerBook::Say(const VmPlace& vm, const std::vector<OwnedThing>& things) {
  const std::set<OwnedThing> now(things.begin(), things.end());
  std::set<OwnedThing>& before = said_[vm.vm];
  for (const OwnedThing& thing : before) {
    if (now.contains(thing)) continue;
    const auto owners = owners_.find(thing);
    owners->second.erase(vm.vm);
    if (owners->second.empty()) owners_.erase(owners);
    changed_.insert(thing);
  }
  for (const OwnedThing& thing : now) {
    const Use use{vm.slot, thing.is_memory};
    const auto [entry, fresh] = owners_[thing].try_emplace(vm.vm, use);
    if (!fresh && entry->second == use) continue;
    entry->second = use;
    changed_.insert(thing);
  }
  before = now;
  if (now.empty()) said_.erase(vm.vm);
}

ks_owner OwnerBook::OwnerOf(const OwnedThing& thing) const {
  const auto owners = owners_.find(thing);
  if (owners == owners_.end()) return {};
  const auto& [vm, use] = *owners->second.begin();
  return {.serial = vm.serial,
          .slot = use.slot,
          .several = static_cast<uint16_t>(owners->second.size() > 1),
          .is_memory = use.as_memory};
}

std::vector<OwnerBook::Change> OwnerBook::Changes() const {
  std::vector<Change> changes;
  for (const OwnedThing& thing : changed_) {
    const auto held = held_.find(thing);
    const Change wanted{thing, OwnerOf(thing)};
    const Change had{thing, held == held_.end() ? ks_owner{} : held->second};
    if (!(wanted == had)) changes.push_back(wanted);
  }
  return changes;
}

void OwnerBook::Done(const Change& change) {
  if (change.owner.serial == 0) {
    held_.erase(change.thing);
  } else {
    held_[change.thing] = change.owner;
  }
  if (Change{change.thing, OwnerOf(change.thing)} == change) changed_.erase(change.thing);
}

}  // namespace kvmsentry
