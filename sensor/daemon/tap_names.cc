#include "sensor/daemon/tap_names.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kvmsentry {

void TapNames::Take(VmId vm, const DeviceList& devices, Engine& engine) {
  std::map<std::string, int> uses;
  for (const Device& device : devices.devices) ++uses[device.name];
  std::set<PartId> now;
  for (const Device& device : devices.devices) {
    if (device.kind != DeviceKind::kTap || device.ifindex == 0) continue;
    const PartId part{PartKind::kTap, device.ifindex};
    std::string name = absl::StrCat(PartKindName(PartKind::kTap), "-", device.name);
    // Namespaces have names of their own.
    if (uses[device.name] > 1) absl::StrAppend(&name, "-", device.ifindex);
    engine.NamePart(vm, part, std::move(name));
    now.insert(part);
  }
  const std::set<PartId> before = std::exchange(known_[vm], now);
  for (const PartId part : before) {
    if (!now.contains(part)) engine.RemovePart(vm, part);
  }
  if (now.empty()) known_.erase(vm);
}

}  // namespace kvmsentry
