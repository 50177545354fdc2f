#include "sensor/source/vhost/bpf.h"

#include <array>

#include "bpf/vhost/records.h"
// The only place that includes the skeletons: their bytes are all that is used of them.
#include "vhost.skel.h"
#include "vhost_maps.skel.h"

namespace kvmsentry {
namespace {

constexpr std::array kVhostMaps = {
    MapRow{"queues", MapSize::kQueues, sizeof(ks_queue_row)},
    MapRow{"queues_used", MapSize::kQueueBits, sizeof(uint64_t)},
    MapRow{"queue_slots", MapSize::kQueues, sizeof(uint64_t)},
    MapRow{"free_queue_slots", MapSize::kQueues, sizeof(uint32_t)},
    MapRow{"stray_queues", MapSize::kDeclared, sizeof(ks_stray_queue)},
    MapRow{"vhost_vms", MapSize::kVms, sizeof(ks_vhost_vm_row)},
    MapRow{"vhost_vms_used", MapSize::kVmBits, sizeof(uint64_t)},
    MapRow{"vhost_limits", MapSize::kVms, sizeof(ks_vhost_limits)},
    MapRow{"vhost_losses", MapSize::kDeclared, sizeof(ks_vhost_losses), /*frozen=*/true},
    MapRow{"vsock_senders", MapSize::kDeclared, sizeof(uint32_t), /*frozen=*/true},
};

}  // namespace

const BpfSource& VhostBpf() {
  static const BpfSource kSource = {.name = "vhost",
                                    .number = KS_SOURCE_VHOST,
                                    .layout_version = KS_VHOST_VERSION,
                                    .maps = kVhostMaps,
                                    .programs = vhost_bpf__elf_bytes,
                                    .maps_only = vhost_maps_bpf__elf_bytes,
                                    .hooks = VhostHooks()};
  return kSource;
}

}  // namespace kvmsentry
