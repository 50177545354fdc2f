// The inverse of msr_bit() in bpf/kvm/msr_bit.h.
#pragma once

#include <cstdint>

#include "bpf/kvm/records.h"

namespace kvmsentry {

// The MSR of a bit in ks_kvm_sets.msrs_written; BIT < KS_MSR_BITS.
constexpr uint32_t MsrOfBit(uint32_t bit) {
  const uint32_t offset = bit % KS_MSR_BLOCK;
  switch (bit / KS_MSR_BLOCK) {
    case 0:
      return KS_MSR_LOW + offset;
    case 1:
      return KS_MSR_HIGH + offset;
    case 2:
      return KS_MSR_AMD + offset;
    default:
      return offset < KS_MSR_BLOCK / 2 ? KS_MSR_HYPERV + offset
                                       : KS_MSR_KVM + offset - KS_MSR_BLOCK / 2;
  }
}

}  // namespace kvmsentry
