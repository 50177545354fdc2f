// What a VMM does with its vCPU.
#pragma once

#include <span>

#include "tests/vmm/known_operation.h"

namespace kvmsentry {

// To the sensor the guest has begun from here on, though not one instruction of it runs.
absl::Status BeginGuest(const TestMachine& machine);

// The guest sees Hyper-V, without which KVM has none of its registers (arch/x86/kvm/hyperv.c).
absl::Status ShowHyperV(const TestMachine& machine);

std::span<const KnownOperation> VcpuOperations();

}  // namespace kvmsentry
