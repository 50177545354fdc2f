#include "sensor/source/vfio/bpf.h"

#include <array>

#include "bpf/vfio/records.h"
#include "sensor/probe/hook_variants.h"
// The only place that includes the skeletons: their bytes are all that is used of them.
#include "vfio.skel.h"
#include "vfio_maps.skel.h"

namespace kvmsentry {
namespace {

constexpr std::array kVfioMaps = {
    MapRow{"vfio_vms", MapSize::kVms, sizeof(ks_vfio_vm_row)},
    MapRow{"vfio_vms_used", MapSize::kVmBits, sizeof(uint64_t)},
    MapRow{"vfio_limits", MapSize::kVms, sizeof(ks_vfio_limits)},
    MapRow{"vfio_losses", MapSize::kDeclared, sizeof(ks_vfio_losses), /*frozen=*/true},
};

// Where it has groups and containers, and not iommufd alone.
constexpr std::array<absl::string_view, 2> kVfioIoctls = {"vfio_group_fops_unl_ioctl",
                                                          "vfio_fops_unl_ioctl"};
constexpr std::array<absl::string_view, 1> kVfio = {"vfio_device"};

constexpr std::array kVfioHooks = {
    Hook{.name = "vfio_device_fops_unl_ioctl",
         .bpf = "vfio",
         .variants = kIoctlEntry,
         .provides = "ioctls on VFIO: vfio.ioctl.rate, vfio.ioctl.command",
         .types = kVfio,
         .module = "vfio",
         .with_if_there = kVfioIoctls,
         .weakness = kDescriptors},
};

}  // namespace

const BpfSource& VfioBpf() {
  static constexpr BpfSource kSource = {.name = "vfio",
                                        .number = KS_SOURCE_VFIO,
                                        .layout_version = KS_VFIO_VERSION,
                                        .maps = kVfioMaps,
                                        .programs = vfio_bpf__elf_bytes,
                                        .maps_only = vfio_maps_bpf__elf_bytes,
                                        .hooks = kVfioHooks};
  return kSource;
}

}  // namespace kvmsentry
