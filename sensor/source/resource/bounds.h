// The most that a VM was given. Pure.
#pragma once

#include <cstdint>

#include "sensor/given/given.h"

namespace kvmsentry {

// 0: unknown.
struct Bounds {
  uint64_t vcpus = 0;
  uint64_t memory = 0;  // bytes that may be mapped for the guest
};

// Beyond its memory a guest has firmware, and the memory of video cards.
inline constexpr uint64_t kDeviceMemory = uint64_t{512} << 20;

// Memory of a VM with devices of the host or with persistent memory is not bounded: theirs is
// mapped for it, too.
Bounds BoundsOf(const Given& given);

}  // namespace kvmsentry
