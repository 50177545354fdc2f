// What is found of a VMM on the host, brought together with what it was told.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/given/merge.h"
#include "sensor/given/shown_text.h"
#include "sensor/given/unix_sockets.h"

namespace kvmsentry {
namespace {

std::optional<uint32_t> DescriptorIn(const TextFact& fact) {
  if (!fact.known()) return std::nullopt;
  absl::string_view text = *fact.value;
  uint32_t fd = 0;
  if (!absl::ConsumePrefix(&text, "fd:") || !absl::SimpleAtoi(text, &fd)) return std::nullopt;
  return fd;
}

std::string NameIn(const std::string& path) { return path.substr(path.rfind('/') + 1); }

FileId IdOf(const Device& device) { return {device.major, device.minor, device.inode}; }

std::string FileOf(const Device& device) { return FileText(IdOf(device)); }

// A format that grows takes a cluster at a time, of 2 MiB at most (qcow2), and tables for it.
constexpr uint64_t kRoomToGrow = 4 << 20;

// Whether an image may have to grow. One whose format is not known may be of one that grows.
bool MayGrow(const given::Disk& disk, const ImageSpace& space) {
  return space.holes > 0 || space.copies || disk.format.value != "raw";
}

class Finder {
 public:
  Finder(const Found& found, Given* given) : found_(found), given_(given) {}

  void Disks() {
    std::vector<bool> used(found_.devices.devices.size());
    for (given::Disk& disk : given_->disks) TakeDisk(&disk, &used);
    // What backs a disk is no other.
    for (const given::Disk& disk : given_->disks) {
      for (const std::string& path : disk.backing.value.value_or(std::vector<std::string>())) {
        Use(IndexOf(path), &used);
      }
    }
    for (size_t i = 0; i < used.size(); ++i) {
      const Device& device = found_.devices.devices[i];
      if (!used[i] && device.kind == DeviceKind::kDisk) AddDisk(device);
    }
  }

  // By their names, else by their sizes: a folder of huge pages or a memfd has no name that a
  // command line could tell.
  void Memory() {
    for (const Device& device : found_.devices.devices) {
      if (device.kind != DeviceKind::kMemory || device.another_vms) continue;
      std::vector<given::MemoryBacking>& all = given_->memory.backing;
      const std::string path = Redact(device.name);
      const auto is_named = [&](const given::MemoryBacking& backing) {
        return !backing.file.known() && !path.empty() && backing.path.value == path;
      };
      const auto is_as_large = [&](const given::MemoryBacking& backing) {
        return !backing.file.known() && backing.kind.value != "ram" &&
               backing.size.value == device.size.bytes;
      };
      auto same = std::ranges::find_if(all, is_named);
      if (same == all.end()) same = std::ranges::find_if(all, is_as_large);
      const bool declared = same != all.end();
      given::MemoryBacking* backing = declared ? &*same : AddPart(&all, "memory backings", given_);
      if (backing == nullptr) return;
      if (!declared) backing->id = NameIn(path);
      if (!path.empty()) backing->path = {path, FactOrigin::kOpenFile};
      backing->file = {FileOf(device), FactOrigin::kOpenFile};
      backing->size.Offer({device.size.bytes, FactOrigin::kOpenFile});
    }
  }

  void Interfaces() {
    for (const Device& tap : found_.devices.devices) {
      if (tap.kind == DeviceKind::kTap) TakeTap(tap);
    }
    for (given::Interface& interface : given_->interfaces) {
      const auto fd = DescriptorIn(interface.device);
      const std::string target = fd ? TargetOf(*fd) : "";
      if (!IsMacvtap(target)) continue;
      interface.kind = {"macvtap", FactOrigin::kOpenFile};
      interface.device = {ShownPath(target), FactOrigin::kOpenFile};
    }
  }

  void Monitors() {
    for (given::Monitor& monitor : given_->monitors) Name(&monitor.place);
    for (given::SharedFolder& folder : given_->folders) Name(&folder.socket);
    for (given::Interface& interface : given_->interfaces) Name(&interface.socket);
    for (given::HostDevice& device : given_->devices) Name(&device.place);
  }

  // Groups of VFIO, and what else the VMM has of the host that no other part tells of.
  void HostDevices() {
    for (const FileLink& file : found_.files) {
      absl::string_view target = file.target;
      const char* kind = absl::ConsumePrefix(&target, "/dev/vfio/devices/") ? "vfio-device"
                         : absl::ConsumePrefix(&target, "/dev/vfio/")       ? "vfio-group"
                         : absl::ConsumePrefix(&target, "/dev/vhost-vdpa")  ? "vhost-vdpa"
                                                                            : nullptr;
      if (kind == nullptr || target == "vfio") continue;
      const TextFact place{ShownPath(file.target), FactOrigin::kOpenFile};
      const bool known = std::ranges::any_of(given_->devices, [&](const given::HostDevice& d) {
        return d.place.value == place.value;
      });
      if (known) continue;
      given::HostDevice* device = AddPart(&given_->devices, "devices", given_);
      if (device == nullptr) return;
      device->id = absl::StrCat(kind, "-", ShownPath(target));
      device->kind = {kind, FactOrigin::kOpenFile};
      device->place = place;
    }
  }

 private:
  static bool IsMacvtap(absl::string_view target) {
    uint32_t index = 0;
    return absl::ConsumePrefix(&target, "/dev/tap") && absl::SimpleAtoi(target, &index);
  }

  std::string TargetOf(uint32_t fd) const {
    for (const FileLink& file : found_.files) {
      if (file.fd == fd) return file.target;
    }
    return "";
  }

  void SetFile(const Device& device, given::Disk* disk) const {
    disk->file = {FileOf(device), FactOrigin::kOpenFile};
    if (device.block) return;
    disk->size = {device.size.bytes, FactOrigin::kOpenFile};
    if (!device.writable) return;
    const std::optional<ImageSpace> space = found_.space_of(device);
    if (!space) return;
    disk->no_space = {MayGrow(*disk, *space) && space->left < kRoomToGrow, FactOrigin::kOpenFile};
  }

  // The disk that is at PATH, as shown.
  std::optional<size_t> IndexOf(const std::string& path) const {
    const std::vector<Device>& devices = found_.devices.devices;
    const auto is = [&](const auto& matches) -> std::optional<size_t> {
      for (size_t i = 0; i < devices.size(); ++i) {
        if (devices[i].kind == DeviceKind::kDisk && matches(devices[i])) return i;
      }
      return std::nullopt;
    };
    if (path.empty()) return std::nullopt;
    if (const auto named = is([&](const Device& d) { return Redact(d.name) == path; })) {
      return named;
    }
    const std::optional<FileId> file = found_.file_of(path);
    return file ? is([&](const Device& d) { return IdOf(d) == *file; }) : std::nullopt;
  }

  static void Use(std::optional<size_t> index, std::vector<bool>* used) {
    if (index) (*used)[*index] = true;
  }

  void TakeDisk(given::Disk* disk, std::vector<bool>* used) {
    if (const auto fd = DescriptorIn(disk->path)) {
      const std::string target = TargetOf(*fd);
      if (!target.empty()) disk->path = {ShownPath(target), FactOrigin::kOpenFile};
    }
    if (!disk->path.known()) return;
    const std::optional<size_t> index = IndexOf(*disk->path.value);
    if (!index) return;
    (*used)[*index] = true;
    SetFile(found_.devices.devices[*index], disk);
  }

  void AddDisk(const Device& device) {
    given::Disk* disk = AddPart(&given_->disks, "disks", given_);
    if (disk == nullptr) return;
    const std::string path = Redact(device.name);
    disk->id = path.empty() ? FileOf(device) : NameIn(path);
    if (!path.empty()) disk->path = {path, FactOrigin::kOpenFile};
    disk->read_only = {!device.writable, FactOrigin::kOpenFile};
    SetFile(device, disk);
  }

  void TakeTap(const Device& tap) {
    given::Interface* found = nullptr;
    for (given::Interface& interface : given_->interfaces) {
      const auto fd = DescriptorIn(interface.device);
      if (fd ? *fd == tap.fd : interface.device.value == tap.name) found = &interface;
    }
    if (found == nullptr) found = TheOnlyNameless();
    if (found == nullptr) {
      found = AddPart(&given_->interfaces, "interfaces", given_);
      if (found == nullptr) return;
      found->id = tap.name;
      found->kind = {"tap", FactOrigin::kOpenFile};
    }
    if (found->device.value != tap.name) found->device = {tap.name, FactOrigin::kOpenFile};
    if (const std::string bridge = found_.bridge_of(tap); !bridge.empty()) {
      found->bridge.Offer({bridge, FactOrigin::kOpenFile});
    }
  }

  // Of taps whose names the kernel or a helper chose it is known which is whose if there is one.
  given::Interface* TheOnlyNameless() {
    given::Interface* only = nullptr;
    for (given::Interface& interface : given_->interfaces) {
      const bool tap = interface.kind.value == "tap" || interface.kind.value == "bridge";
      if (!tap || interface.device.known()) continue;
      if (only != nullptr) return nullptr;
      only = &interface;
    }
    return only;
  }

  // "fd:29" becomes "unix:/run/m.sock" where the descriptor is of a socket with a name.
  void Name(TextFact* place) {
    const auto fd = DescriptorIn(*place);
    const std::optional<uint64_t> inode = fd ? SocketIn(TargetOf(*fd)) : std::nullopt;
    if (!inode) return;
    const std::string path = found_.socket_of(*inode);
    if (!path.empty()) *place = {absl::StrCat("unix:", ShownPath(path)), FactOrigin::kOpenFile};
  }

  const Found& found_;
  Given* given_;
};

}  // namespace

void MergeFound(const Found& found, Given* given) {
  Finder finder(found, given);
  finder.Disks();
  finder.Memory();
  finder.Interfaces();
  finder.Monitors();
  finder.HostDevices();
  if (found.devices.left_out > 0) {
    given->gaps.push_back(absl::StrCat(found.devices.left_out, " more open devices"));
  }
}

void FindFolders(const Found& found, Given* given) {
  for (given::SharedFolder& folder : given->folders) {
    if (!folder.path.known()) continue;
    const std::optional<FileId> root = found.folder_of(*folder.path.value);
    if (root) folder.root = {*root, FactOrigin::kProcess};
  }
}

std::string FileText(const FileId& file) {
  std::string text = absl::StrCat(file.major, ":", file.minor);
  if (file.inode != 0) absl::StrAppend(&text, " inode ", file.inode);
  return text;
}

}  // namespace kvmsentry
