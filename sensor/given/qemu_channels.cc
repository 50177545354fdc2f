// Ways between the guest, QEMU and others on QEMU's command line: monitors, shared folders, devices
// of the host, and devices that another process serves.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/given/qemu.h"
#include "sensor/given/shown_text.h"

namespace kvmsentry {
namespace {

void AddMonitor(const char* kind, absl::string_view place, Given* given) {
  if (place.empty()) return;
  given::Monitor* monitor = AddPart(&given->monitors, "monitors", given);
  if (monitor == nullptr) return;
  monitor->kind = {kind, FactOrigin::kArgv};
  monitor->place = {ShownPath(place), FactOrigin::kArgv};
}

void AddMonitors(const QemuLine& line, Given* given) {
  bool has_defaults = true, told = false, graphic = true;
  for (const auto& [name, value] : line.options) {
    if (name == "qmp" || name == "qmp-pretty") {
      AddMonitor("qmp", line.PlaceOf(value), given);
    } else if (name == "monitor") {
      told = true;
      AddMonitor("hmp", line.PlaceOf(value), given);
    } else if (name == "mon") {
      const KeyValues mon = KeyValues::OfQemu(value, "chardev");
      const bool control = mon.Get("mode") == "control";
      told |= !control;
      AddMonitor(control ? "qmp" : "hmp", line.ChardevPlace(mon.Get("chardev")), given);
    } else if (name == "serial" || name == "parallel") {
      // "mon:stdio": a monitor shares the line with the port.
      absl::string_view place = value;
      if (!absl::ConsumePrefix(&place, "mon:")) continue;
      told = true;
      AddMonitor("hmp", line.PlaceOf(place), given);
    }
    has_defaults &= name != "nodefaults";
    graphic &= name != "nographic";
  }
  // Without -nodefaults and without another, one is in a window, or with the first serial port on
  // standard input (system/vl.c, qemu_create_default_devices).
  if (has_defaults && !told) {
    given::Monitor* monitor = AddPart(&given->monitors, "monitors", given);
    if (monitor == nullptr) return;
    monitor->kind = {"hmp", FactOrigin::kDefault};
    monitor->place = {graphic ? "window" : "stdio", FactOrigin::kDefault};
  }
}

void SetFolder(const KeyValues& values, Given* given, const std::string& tag) {
  given::SharedFolder* folder = AddPart(&given->folders, "shared folders", given);
  if (folder == nullptr) return;
  folder->id = ShownText(tag);
  folder->kind = {"9p", FactOrigin::kArgv};
  if (values.Has("path")) folder->path = {ShownPath(values.Get("path")), FactOrigin::kArgv};
  const std::optional<bool> read_only = values.GetFlag("readonly");
  folder->read_only =
      read_only ? FlagFact(*read_only, FactOrigin::kArgv) : FlagFact(false, FactOrigin::kDefault);
  const std::string& model =
      values.Has("security_model") ? values.Get("security_model") : values.Get("security-model");
  if (!model.empty()) folder->security = {ShownText(model), FactOrigin::kArgv};
  folder->socket = {ShownPath(values.Get("socket")), FactOrigin::kArgv};  // none of a local one
}

void AddFolders(const QemuLine& line, Given* given) {
  for (const auto& [name, value] : line.options) {
    const KeyValues values = KeyValues::OfQemu(value, "fsdriver");
    if (name == "virtfs") SetFolder(values, given, values.Get("mount_tag"));
    if (name == "fsdev") {
      const QemuDevice* device = line.DeviceWith("fsdev", values.Get("id"));
      SetFolder(values, given,
                device == nullptr ? values.Get("id") : device->values.Get("mount_tag"));
    }
  }
  for (const QemuDevice& device : line.devices) {
    if (!absl::StartsWith(device.driver, "vhost-user-fs")) continue;
    given::SharedFolder* folder = AddPart(&given->folders, "shared folders", given);
    if (folder == nullptr) return;
    folder->id = ShownText(device.values.Get("tag"));
    folder->kind = {"virtiofs", FactOrigin::kArgv};
    folder->security = {"", FactOrigin::kDefault};
    const std::string socket = line.ChardevPlace(device.values.Get("chardev"));
    if (!socket.empty()) folder->socket = {ShownPath(socket), FactOrigin::kArgv};
  }
}

// Of a device, where it is on the host.
std::string PlaceOf(const QemuDevice& device, const QemuLine& line) {
  for (const char* key : {"host", "sysfsdev", "guest-cid", "wwpn", "evdev"}) {
    if (device.values.Has(key)) return device.values.Get(key);
  }
  if (device.values.Has("hostbus")) {
    return absl::StrCat("bus ", device.values.Get("hostbus"), " address ",
                        device.values.Get("hostaddr"));
  }
  if (device.values.Has("vendorid")) {
    return absl::StrCat(device.values.Get("vendorid"), ":", device.values.Get("productid"));
  }
  return line.ChardevPlace(device.values.Get("chardev"));
}

bool IsHostDevice(absl::string_view driver) {
  if (absl::StartsWith(driver, "vhost-user-fs")) return false;  // a shared folder
  for (const char* prefix : {"vfio-", "usb-host", "vhost-user-", "vhost-vsock-", "vhost-scsi",
                             "scsi-generic", "virtio-input-host", "vhost-vdpa-device", "ivshmem"}) {
    if (absl::StartsWith(driver, prefix)) return true;
  }
  return false;
}

given::HostDevice* AddDevice(const std::string& id, absl::string_view kind, absl::string_view place,
                             Given* given) {
  given::HostDevice* device = AddPart(&given->devices, "devices", given);
  if (device == nullptr) return nullptr;
  device->id = ShownText(id);
  device->kind = {ShownText(kind), FactOrigin::kArgv};
  if (!place.empty()) device->place = {ShownPath(place), FactOrigin::kArgv};
  return device;
}

void AddHostDevices(const QemuLine& line, Given* given) {
  for (const QemuDevice& device : line.devices) {
    if (!IsHostDevice(device.driver)) continue;
    const bool mediated =
        device.driver == "vfio-pci" && absl::StrContains(device.values.Get("sysfsdev"), "/mdev/");
    AddDevice(device.id, mediated ? "vfio-mdev" : absl::string_view(device.driver),
              PlaceOf(device, line), given);
  }
  for (const auto& [name, value] : line.options) {
    if (name != "tpmdev") continue;
    const KeyValues tpm = KeyValues::OfQemu(value, "type");
    std::string place = tpm.Get("path");
    if (tpm.Has("chardev")) place = line.ChardevPlace(tpm.Get("chardev"));
    AddDevice(tpm.Get("id"), absl::StrCat("tpm-", tpm.Get("type")), place, given);
  }
}

}  // namespace

void AddQemuChannels(const QemuLine& line, Given* given) {
  AddMonitors(line, given);
  AddFolders(line, given);
  AddHostDevices(line, given);
}

}  // namespace kvmsentry
