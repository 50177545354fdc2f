#include "sensor/inventory/device.h"

#include <linux/magic.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace kvmsentry {
namespace {

constexpr uint64_t kSector = 512;
constexpr uint64_t kLeastMemory = 1 << 20;
constexpr uint32_t kLastStandardStream = 2;

// Kernel views: their files are as large as a page whatever is in them.
bool IsView(uint64_t fs_magic) {
  return fs_magic == PROC_SUPER_MAGIC || fs_magic == SYSFS_MAGIC ||
         fs_magic == CGROUP_SUPER_MAGIC || fs_magic == CGROUP2_SUPER_MAGIC;
}

bool IsImage(const ks_open_device& file) {
  if ((file.flags & (KS_DEVICE_UNLINKED | KS_DEVICE_INTERNAL)) != 0) return false;
  if (file.size < kSector || IsView(file.fs_magic) || file.fs_magic == HUGETLBFS_MAGIC)
    return false;
  const bool mapped = (file.flags & KS_DEVICE_MAPPED) != 0;
  const bool read_only = (file.flags & KS_DEVICE_WRITE) == 0;
  return !mapped || !(read_only || file.fs_magic == TMPFS_MAGIC);
}

bool IsMemory(const ks_open_device& file) {
  const bool in_memory = file.fs_magic == TMPFS_MAGIC || file.fs_magic == HUGETLBFS_MAGIC;
  constexpr uint32_t kUsed = KS_DEVICE_WRITE | KS_DEVICE_MAPPED;
  return in_memory && (file.flags & kUsed) == kUsed && file.size >= kLeastMemory;
}

}  // namespace

MiscDevices ParseMiscDevices(absl::string_view content) {
  MiscDevices devices;
  for (const absl::string_view line : absl::StrSplit(content, '\n')) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint32_t minor = 0;
    if (words.size() == 2 && absl::SimpleAtoi(words[0], &minor)) {
      devices.emplace(minor, words[1]);
    }
  }
  return devices;
}

std::optional<DeviceKind> DeviceKindOf(const ks_open_device& file, const MiscDevices& misc) {
  if (file.kind == KS_DEVICE_MISC) {
    const auto device = misc.find(MinorOf(file.device));
    if (device == misc.end()) return std::nullopt;
    if (device->second == "tun") return DeviceKind::kTap;
    if (device->second == "vhost-net") return DeviceKind::kVhostNet;
    if (device->second == "vhost-vsock") return DeviceKind::kVhostVsock;
    if (device->second == "vhost-scsi") return DeviceKind::kVhostScsi;
    return std::nullopt;
  }
  const bool wanted = (file.flags & (KS_DEVICE_READ | KS_DEVICE_APPEND)) == KS_DEVICE_READ &&
                      file.fd > kLastStandardStream;
  if (!wanted) return std::nullopt;
  if (file.kind == KS_DEVICE_FILE && IsMemory(file)) return DeviceKind::kMemory;
  const bool disk = file.kind == KS_DEVICE_BLOCK || (file.kind == KS_DEVICE_FILE && IsImage(file));
  return disk ? std::optional(DeviceKind::kDisk) : std::nullopt;
}

}  // namespace kvmsentry
