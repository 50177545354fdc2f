#include "sensor/source/kvm/bpf.h"

#include <array>

#include "bpf/kvm/records.h"
// The only place that includes skeletons: their bytes are all that is used of them.
#include "control.skel.h"
#include "device.skel.h"
#include "dirty.skel.h"
#include "exit.skel.h"
#include "inject.skel.h"
#include "interrupt.skel.h"
#include "inventory.skel.h"
#include "ioctl.skel.h"
#include "life.skel.h"
#include "msr.skel.h"
#include "request.skel.h"
#include "userspace.skel.h"

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

// In the order of loading: births before anything else is counted.
constexpr std::array kKvmObjects = {
    ObjectRow{"life", life_bpf__elf_bytes},
    ObjectRow{"inventory", inventory_bpf__elf_bytes},
    ObjectRow{"device", device_bpf__elf_bytes},
    ObjectRow{"msr", msr_bpf__elf_bytes},
    ObjectRow{"userspace", userspace_bpf__elf_bytes},
    ObjectRow{"exit", exit_bpf__elf_bytes},
    ObjectRow{"inject", inject_bpf__elf_bytes},
    ObjectRow{"request", request_bpf__elf_bytes},
    ObjectRow{"dirty", dirty_bpf__elf_bytes},
    ObjectRow{"ioctl", ioctl_bpf__elf_bytes},
    ObjectRow{"control", control_bpf__elf_bytes},
    ObjectRow{"interrupt", interrupt_bpf__elf_bytes},
};

}  // namespace

const BpfSource& KvmBpf() {
  static const BpfSource kSource = {.name = "kvm",
                                    .number = KS_SOURCE_KVM,
                                    .layout_version = KS_KVM_VERSION,
                                    .maps = kKvmMaps,
                                    .objects = kKvmObjects,
                                    .hooks = KvmHooks()};
  return kSource;
}

}  // namespace kvmsentry
