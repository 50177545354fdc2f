#include "sensor/source/entitlement/claims.h"

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace kvmsentry {
namespace {

bool IsOnlyOpen(const TextFact& fact) {
  return fact.known() && fact.origin == FactOrigin::kOpenFile;
}

std::optional<uint64_t> CapabilitiesOf(const Given& given) {
  if (!given.privileges.capabilities.known()) return std::nullopt;
  absl::string_view text = *given.privileges.capabilities.value;
  absl::ConsumePrefix(&text, "0x");
  uint64_t bits = 0;
  return absl::SimpleHexAtoi(text, &bits) ? std::optional(bits) : std::nullopt;
}

}  // namespace

std::string RunnerOf(const Given& given) {
  if (!given.program.known() || !given.privileges.uid.known()) return "";
  return absl::StrCat("uid ", *given.privileges.uid.value, " ", *given.program.value);
}

std::string ManagerOf(const Given& given) { return given.manager.kind.value.value_or(""); }

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

std::vector<std::string> GainedSince(const Given& first, const Given& now) {
  std::vector<std::string> gained;
  const auto was = [&first](uint64_t uid) { return first.privileges.uid.value == uid; };
  if (now.privileges.uid.value == 0U && first.privileges.uid.known() && !was(0)) {
    gained.emplace_back("uid 0");
  }
  const auto before = CapabilitiesOf(first), after = CapabilitiesOf(now);
  if (before && after && (*after & ~*before) != 0) {
    gained.push_back(absl::StrFormat("capabilities 0x%x", *after & ~*before));
  }
  if (first.privileges.filtered.value.value_or(false) &&
      !now.privileges.filtered.value.value_or(true)) {
    gained.emplace_back("unfiltered system calls");
  }
  return gained;
}

}  // namespace kvmsentry
