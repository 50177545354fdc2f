#include "sensor/source/vfio/members.h"

#include <array>

#include <linux/vfio.h>

namespace kvmsentry {
namespace {

// NOLINTBEGIN(cppcoreguidelines-macro-usage): a name and the number behind it, written once.
#define VFIO(name) \
  NamedMember { _IOC_NR(VFIO_##name), #name }
#define VFIO_DEVICE(name) \
  NamedMember { 1 << 8 | _IOC_NR(VFIO_DEVICE_##name), "DEVICE_" #name }
// NOLINTEND(cppcoreguidelines-macro-usage)

constexpr std::array kNames = {
    VFIO(GET_API_VERSION),     VFIO(CHECK_EXTENSION),     VFIO(SET_IOMMU),
    VFIO(GROUP_GET_STATUS),    VFIO(GROUP_SET_CONTAINER), VFIO(GROUP_UNSET_CONTAINER),
    VFIO(GROUP_GET_DEVICE_FD), VFIO(IOMMU_GET_INFO),      VFIO(IOMMU_MAP_DMA),
    VFIO(IOMMU_UNMAP_DMA),     VFIO(IOMMU_ENABLE),        VFIO(IOMMU_DISABLE),
    VFIO(IOMMU_DIRTY_PAGES),   VFIO_DEVICE(GET_INFO),     VFIO_DEVICE(GET_REGION_INFO),
    VFIO_DEVICE(GET_IRQ_INFO), VFIO_DEVICE(SET_IRQS),     VFIO_DEVICE(RESET),
    VFIO_DEVICE(IOEVENTFD),    VFIO_DEVICE(FEATURE),
};

std::span<const NamedMember> Names() { return kNames; }

}  // namespace

constinit const MemberKind kVfioIoctl = {.key = "vfio_ioctl",
                                         .noun = "VFIO ioctl",
                                         .largest = 2 * 256 - 1,
                                         .number = NumberFormat::kDecimal,
                                         .names = Names,
                                         .hint = "IOMMU_MAP_DMA, DEVICE_RESET or 100-127"};

}  // namespace kvmsentry
