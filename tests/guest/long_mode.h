// The architectural state of a 64-bit guest: page tables, descriptor tables, control registers.
#pragma once

#include <cstdint>

#include <linux/kvm.h>

#include "absl/types/span.h"

#include "tests/guest/workload.h"

namespace kvmsentry::guest {

// Fills guest memory, which starts at guest-physical 0, with all that its vCPUs share.
void WriteSharedState(const Workload& workload, absl::Span<uint8_t> memory);

// The control block of VCPU's nested guest (AMD): long mode on the same tables.
void WriteControlBlock(uint32_t vcpu, absl::Span<uint8_t> memory);

// Long mode, ring 0, on the tables that WriteSharedState wrote.
void EnterLongMode(const Workload& workload, kvm_sregs& sregs);

}  // namespace kvmsentry::guest
