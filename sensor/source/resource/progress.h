// Whether a VM's vCPUs get on. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/resource/records.h"

namespace kvmsentry {

// The values are those of the feature vcpu.state.
enum class VcpuProgress : uint8_t {
  kUnknown = 0,
  kRunning,  // on a CPU, or was since the last pass
  kWaiting,  // it could run, and another is on the CPU
  kHalted,   // the guest has nothing to do
  kPaused,   // all vCPUs of the VM sleep in the VMM: the VM is paused, or idles there
  kStuck,    // this one spins outside the guest, or sleeps in the VMM while others of the VM run
  kBlocked,  // in the kernel, in a wait that no signal ends
  kStopped,  // by a signal, or by a debugger
};

// What a pass found of one vCPU, and how much it ran and left the guest since the pass before.
struct VcpuSeen {
  uint32_t state = KS_VCPU_UNKNOWN;  // enum ks_vcpu_state
  uint64_t ran_ns = 0;
  uint64_t exits = 0;
  bool outside = false;  // not in the guest
};

// Of all vCPUs of one VM, in the same order.
std::vector<VcpuProgress> ProgressOf(std::span<const VcpuSeen> vcpus);

}  // namespace kvmsentry
