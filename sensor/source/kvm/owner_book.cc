#include "sensor/source/kvm/owner_book.h"

#include <algorithm>

#include "sensor/given/given.h"
#include "sensor/given/merge.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kRootCgroup = 1;  // include/linux/cgroup.h, cgroup_id() of the root

ks_role RoleOf(absl::string_view helper) {
  if (helper == "virtiofsd" || helper == "qemu-storage-da") return KS_ROLE_FILE_HELPER;
  if (helper == "passt" || helper == "pasta" || helper == "slirp4netns") return KS_ROLE_NET_HELPER;
  return KS_ROLE_HELPER;
}

OwnedThing FileOf(const Device& device, ks_role role) {
  return {.kind = KS_OWNER_FILE,
          .id = DeviceNumber(device.major, device.minor),
          .within = device.inode,
          .role = role,
          .incarnation = device.generation};
}

}  // namespace

std::vector<OwnedThing> ThingsOf(const VmFacts& facts, const DeviceList& devices) {
  std::vector<OwnedThing> things = {{.kind = KS_OWNER_PROCESS,
                                     .id = static_cast<uint64_t>(facts.pid),
                                     .incarnation = facts.start_ticks}};
  if (devices.cgroup > kRootCgroup) things.push_back({KS_OWNER_CGROUP, devices.cgroup});
  for (const Device& device : devices.devices) {
    if (device.another_vms) continue;
    // What is only read, as the image below several others, is nobody's alone.
    if (device.kind == DeviceKind::kDisk && device.writable) {
      things.push_back(FileOf(device, KS_ROLE_OWN));
    } else if (device.kind == DeviceKind::kMemory) {
      things.push_back(FileOf(device, KS_ROLE_MEMORY));
    } else if (device.kind == DeviceKind::kTap && device.ifindex != 0) {
      things.push_back({KS_OWNER_INTERFACE, device.ifindex, device.net_ns});
    }
  }
  return things;
}

std::vector<OwnedThing> FoldersOf(const Given& given) {
  std::vector<OwnedThing> folders;
  for (const given::SharedFolder& folder : given.folders) {
    if (!folder.root.known() || folder.path.origin == FactOrigin::kHelper) continue;
    const FileId& root = *folder.root.value;
    folders.push_back({KS_OWNER_FILE, DeviceNumber(root.major, root.minor), root.inode});
  }
  return folders;
}

std::set<std::string> SharedDisksOf(const Given& given) {
  std::set<std::string> shared;
  for (const given::Disk& disk : given.disks) {
    if (disk.shared.value.value_or(false) && disk.file.known()) shared.insert(*disk.file.value);
  }
  return shared;
}

void MarkShared(const std::set<std::string>& shared, std::vector<OwnedThing>* things) {
  if (shared.empty()) return;
  for (OwnedThing& thing : *things) {
    if (thing.kind != KS_OWNER_FILE || thing.role != KS_ROLE_OWN) continue;
    const auto device = static_cast<uint32_t>(thing.id);
    const FileId file{MajorOf(device), MinorOf(device), thing.within};
    if (shared.contains(FileText(file))) thing.role = KS_ROLE_SHARED;
  }
}

std::vector<OwnedThing> HelpersOf(const Given& given) {
  std::vector<OwnedThing> helpers;
  for (const auto* processes : {&given.helpers, &given.children}) {
    for (const given::Helper& helper : *processes) {
      if (!helper.pid.known() || helpers.size() == kMaxOwnedHelpers) continue;
      helpers.push_back({.kind = KS_OWNER_PROCESS,
                         .id = *helper.pid.value,
                         .role = RoleOf(helper.id),
                         .incarnation = helper.start_ticks});
    }
  }
  return helpers;
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
    const Use use{vm.slot, thing.role, thing.incarnation};
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
  const auto is_own = [](const auto& owner) { return owner.second.role == KS_ROLE_OWN; };
  auto first = std::ranges::find_if(owners->second, is_own);
  if (first == owners->second.end()) first = owners->second.begin();
  const auto& [vm, use] = *first;
  return {.serial = vm.serial,
          .slot = use.slot,
          .several = static_cast<uint8_t>(owners->second.size() > 1),
          .role = static_cast<uint8_t>(use.role),
          .incarnation = static_cast<uint16_t>(use.incarnation)};
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
