#include "sensor/feature/part.h"

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kDeviceMinorBits = 20;  // include/linux/kdev_t.h
constexpr uint32_t kQueueBits = 8;

}  // namespace

absl::string_view PartKindName(PartKind kind) {
  switch (kind) {
    case PartKind::kVm:
      return "vm";
    case PartKind::kVcpu:
      return "vcpu";
    case PartKind::kDisk:
      return "disk";
    case PartKind::kTap:
      return "tap";
    case PartKind::kQueue:
      return "virtqueue";
    case PartKind::kThread:
      return "thread";
    case PartKind::kProcess:
      return "process";
  }
  return "part";
}

std::string PartText(PartId part) {
  if (part.kind == PartKind::kVm) return "";
  const absl::string_view kind = PartKindName(part.kind);
  if (part.index == kOtherParts) return absl::StrCat(kind, "-others");
  if (part.kind == PartKind::kDisk) {
    return absl::StrCat(kind, "-", part.index >> kDeviceMinorBits, ":",
                        part.index & ((1U << kDeviceMinorBits) - 1));
  }
  if (part.kind == PartKind::kQueue) {
    return absl::StrCat(kind, "-", part.index >> kQueueBits, ".",
                        part.index & ((1U << kQueueBits) - 1));
  }
  return absl::StrCat(kind, "-", part.index);
}

}  // namespace kvmsentry
