// The names of ioctls that a VMM makes on KVM, vhost and VFIO: those of the kernel's headers
// linux/kvm.h, vhost.h and vfio.h, without their prefix.
#pragma once

#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

namespace kvmsentry {

struct NamedMember {
  uint64_t member;
  absl::string_view name;
};

// "vm:SET_USER_MEMORY_REGION", "vcpu:SET_REGS", "device:SET_DEVICE_ATTR": the command's number, and
// 256 more of a vCPU's, 512 of a device's.
std::span<const NamedMember> KvmIoctls();
std::span<const NamedMember> VhostIoctls();  // "SET_MEM_TABLE"
// "IOMMU_MAP_DMA" of a container or group; "DEVICE_RESET": a device's have 256 more.
std::span<const NamedMember> VfioIoctls();

}  // namespace kvmsentry
