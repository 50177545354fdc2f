#include "sensor/source/entitlement/claims.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace kvmsentry {
namespace {

bool IsOnlyOpen(const TextFact& fact) {
  return fact.known() && fact.origin == FactOrigin::kOpenFile;
}

std::optional<uint64_t> CapabilitiesOf(const given::Privileges& privileges) {
  if (!privileges.capabilities.known()) return std::nullopt;
  absl::string_view text = *privileges.capabilities.value;
  absl::ConsumePrefix(&text, "0x");
  uint64_t bits = 0;
  return absl::SimpleHexAtoi(text, &bits) ? std::optional(bits) : std::nullopt;
}

// As AppArmor writes them: "NAME (enforce)", "NAME (complain)", "unconfined".
bool IsLooser(absl::string_view first, absl::string_view now) {
  if (first == now || first == "unconfined") return false;
  const bool was_free = absl::ConsumeSuffix(&first, " (complain)");
  const bool is_bound = absl::ConsumeSuffix(&now, " (enforce)");
  return !(was_free && is_bound && first == now);
}

// By the kind of each: "namespace mnt".
std::vector<std::string> NamespacesLeft(const TextsFact& first, const TextsFact& now) {
  std::vector<std::string> left;
  if (!first.known() || !now.known()) return left;
  std::map<absl::string_view, absl::string_view> before;
  for (const absl::string_view entry : *first.value) {
    before.insert(absl::StrSplit(entry, absl::MaxSplits(' ', 1)));
  }
  for (const absl::string_view entry : *now.value) {
    const std::pair<absl::string_view, absl::string_view> is =
        absl::StrSplit(entry, absl::MaxSplits(' ', 1));
    const auto was = before.find(is.first);
    if (was == before.end() || was->second == is.second) continue;
    left.push_back(absl::StrCat("namespace ", is.first));
  }
  return left;
}

}  // namespace

std::string RunnerOf(const Given& given) {
  if (!given.program.known() || !given.privileges.uid.known()) return "";
  return absl::StrCat("uid ", *given.privileges.uid.value, " ", *given.program.value);
}

// Anyone can write a command line that looks like a manager's.
std::string ManagerOf(const Given& given) {
  const TextFact& kind = given.manager.kind;
  return kind.origin == FactOrigin::kArgv ? "" : kind.value.value_or("");
}

std::vector<std::string> UndeclaredOf(const Given& given) {
  std::vector<std::string> devices;
  // A VMM that was understood has told how much memory its VM has, or its default is known.
  if (!given.memory.size.known()) return devices;
  for (const given::Disk& disk : given.disks) {
    if (IsOnlyOpen(disk.path)) devices.push_back(absl::StrCat("disk ", *disk.path.value));
  }
  for (const given::Interface& interface : given.interfaces) {
    if (!IsOnlyOpen(interface.device)) continue;
    devices.push_back(absl::StrCat("interface ", *interface.device.value));
  }
  for (const given::HostDevice& device : given.devices) {
    if (!IsOnlyOpen(device.kind) || !device.place.known()) continue;
    devices.push_back(absl::StrCat(*device.kind.value, " ", *device.place.value));
  }
  return devices;
}

std::map<std::string, std::string> MemoryFilesOf(const Given& given) {
  std::map<std::string, std::string> files;
  for (const given::MemoryBacking& backing : given.memory.backing) {
    if (!backing.file.known()) continue;
    files.emplace(*backing.file.value, backing.path.value.value_or(*backing.file.value));
  }
  return files;
}

std::vector<std::string> GrownOf(const Given& given, std::map<std::string, uint64_t>* first) {
  std::vector<std::string> grown;
  for (const given::Disk& disk : given.disks) {
    if (disk.format.value != "raw" || !disk.file.known() || !disk.size.known()) continue;
    const uint64_t size = *disk.size.value;
    const auto [known, fresh] = first->emplace(*disk.file.value, size);
    if (size > known->second) grown.push_back(disk.path.value.value_or(*disk.file.value));
  }
  // An inode that is used again is another file.
  std::erase_if(*first, [&](const auto& known) {
    return std::ranges::none_of(
        given.disks, [&](const given::Disk& disk) { return disk.file.value == known.first; });
  });
  return grown;
}

std::vector<std::string> NetworkMonitorsOf(const Given& given) {
  std::vector<std::string> monitors;
  for (const given::Monitor& monitor : given.monitors) {
    const std::string place = monitor.place.value.value_or("");
    for (const char* network : {"tcp:", "udp:", "telnet:", "tn3270:", "websocket:"}) {
      if (!absl::StartsWith(place, network)) continue;
      monitors.push_back(absl::StrCat(monitor.kind.value.value_or("monitor"), " ", place));
    }
  }
  return monitors;
}

std::vector<std::string> ImagesWithoutSpace(const Given& given) {
  std::vector<std::string> full;
  for (const given::Disk& disk : given.disks) {
    if (!disk.no_space.value.value_or(false)) continue;
    full.push_back(disk.path.value.value_or(disk.file.value.value_or(disk.id)));
  }
  return full;
}

std::vector<std::string> GainedSince(const given::Privileges& first, const given::Privileges& now) {
  std::vector<std::string> gained;
  if (now.uid.value == 0U && first.uid.known() && first.uid.value != 0U)
    gained.emplace_back("uid 0");
  const auto before = CapabilitiesOf(first), after = CapabilitiesOf(now);
  if (before && after && (*after & ~*before) != 0) {
    gained.push_back(absl::StrFormat("capabilities 0x%x", *after & ~*before));
  }
  if (first.filtered.value.value_or(false) && !now.filtered.value.value_or(true)) {
    gained.emplace_back("unfiltered system calls");
  }
  if (first.label.known() && now.label.known() && IsLooser(*first.label.value, *now.label.value)) {
    gained.push_back(absl::StrCat("label ", *now.label.value));
  }
  for (std::string& name : NamespacesLeft(first.namespaces, now.namespaces)) {
    gained.push_back(std::move(name));
  }
  return gained;
}

void GiveUp(const given::Privileges& now, given::Privileges* first) {
  if (first->uid.value == 0U && now.uid.value.value_or(0) != 0) first->uid = now.uid;
  const auto before = CapabilitiesOf(*first), after = CapabilitiesOf(now);
  if (before && after) first->capabilities.value = absl::StrFormat("0x%x", *before & *after);
  if (now.filtered.value.value_or(false)) first->filtered = now.filtered;
}

}  // namespace kvmsentry
