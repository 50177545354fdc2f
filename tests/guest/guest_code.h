// The guest's machine code (guest_code.S) as seen from the VMM.
#pragma once

#include <cstdint>

#include <linux/kvm.h>

#include "absl/types/span.h"

#include "tests/guest/workload.h"

namespace kvmsentry::guest {

// All of it; position independent, meant for kCodeAddress.
absl::Span<const uint8_t> GuestCode();

// Guest address of the #GP handler.
uint64_t GeneralProtectionHandler();

// Guest address of the timer's interrupt handler, and of what a nested guest executes.
uint64_t TimerInterruptHandler();
uint64_t InnerCode();

// The state in which a vCPU begins: idle, with the loop of `workload` at hand.
kvm_regs InitialRegisters(const Workload& workload, uint32_t vcpu);

}  // namespace kvmsentry::guest
