// Identifiers that must not be mixed up with plain numbers.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace kvmsentry {

// A VM for as long as it lives and after: the serial number its registration drew, never reused
// while the pinned maps live. Zero is no VM.
struct VmId {
  uint64_t serial = 0;
  friend auto operator<=>(const VmId&, const VmId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const VmId& id) {
    return H::combine(std::move(h), id.serial);
  }
};

// A row in the kernel's VM or vCPU tables; reused after the row's owner has gone.
using Slot = uint32_t;

}  // namespace kvmsentry
