#include "sensor/source/kvm/bpf.h"

#include <array>

#include "bpf/kvm/records.h"
// The only place that includes the skeletons: their bytes are all that is used of them.
#include "kvm.skel.h"
#include "kvm_maps.skel.h"

namespace kvmsentry {
namespace {

constexpr std::array kKvmMaps = {
    MapRow{"vms", MapSize::kVms, sizeof(ks_vm_row)},
    MapRow{"vms_used", MapSize::kVmBits, sizeof(uint64_t)},
    MapRow{"vm_slots", MapSize::kVms, sizeof(uint64_t)},
    MapRow{"free_vm_slots", MapSize::kVms, sizeof(uint32_t)},
    MapRow{"owners", MapSize::kOwners, sizeof(ks_owner)},
    MapRow{"kvm_limits", MapSize::kVms, sizeof(ks_kvm_limits)},
    MapRow{"kvm_sets", MapSize::kVms, sizeof(ks_kvm_sets)},
    MapRow{"vcpus", MapSize::kVcpus, sizeof(ks_vcpu_row)},
    MapRow{"vcpus_used", MapSize::kVcpuBits, sizeof(uint64_t)},
    MapRow{"vcpu_slots", MapSize::kVcpus, sizeof(uint64_t)},
    MapRow{"free_vcpu_slots", MapSize::kVcpus, sizeof(uint32_t)},
    MapRow{"exits", MapSize::kVcpus, sizeof(ks_exit_row)},
    MapRow{"kvm_losses", MapSize::kDeclared, sizeof(ks_kvm_losses), /*frozen=*/true},
};

}  // namespace

const BpfSource& KvmBpf() {
  static const BpfSource kSource = {.name = "kvm",
                                    .number = KS_SOURCE_KVM,
                                    .layout_version = KS_KVM_VERSION,
                                    .maps = kKvmMaps,
                                    .programs = kvm_bpf__elf_bytes,
                                    .maps_only = kvm_maps_bpf__elf_bytes,
                                    .hooks = KvmHooks(),
                                    .wants_unpreempted = true};
  return kSource;
}

}  // namespace kvmsentry
