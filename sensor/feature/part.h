// Parts of a VM that are observed on their own.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry {

enum class PartKind : uint8_t { kVm, kVcpu, kDisk, kTap, kQueue, kThread, kProcess };

// Which part of its VM: the source numbers those of each kind; a disk's number is its device's,
// major << 20 | minor, a tap's its interface's index, a virtqueue's DEVICE << 8 | its index in
// that, the VM's vhost devices counted from 0. Of the VM itself by default.
struct PartId {
  PartKind kind = PartKind::kVm;
  uint32_t index = 0;
  friend auto operator<=>(const PartId&, const PartId&) = default;
};

// All parts of a kind that the engine has no room to tell apart.
inline constexpr uint32_t kOtherParts = std::numeric_limits<uint32_t>::max();

// "vcpu", "disk", "tap", "virtqueue", "thread", "process"; "vm" of the VM itself.
absl::string_view PartKindName(PartKind kind);

// "vcpu-3"; "disk-254:0", MAJOR:MINOR; "virtqueue-0.1"; "vcpu-others"; empty of the VM itself.
std::string PartText(PartId part);

}  // namespace kvmsentry
