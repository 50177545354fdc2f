// The kinds of members that the features of vfio have.
#pragma once

#include "sensor/feature/member_kind.h"

namespace kvmsentry {

// "IOMMU_MAP_DMA" of a container or group; "DEVICE_RESET": a device's have 256 more. Those of
// linux/vfio.h, without their prefix.
extern const MemberKind kVfioIoctl;

}  // namespace kvmsentry
