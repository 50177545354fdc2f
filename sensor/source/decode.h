// Bytes from the ring, which all sources write to, to what they say. Pure; the bytes are untrusted.
#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

// A VM was registered in the kernel's tables.
struct VmBorn {
  KernelTime time;
  VmId vm;
  Slot slot = 0;
};

// A canary came back.
struct Canary {
  uint64_t number = 0;
};

using Record = std::variant<VmBorn, Observation, Canary>;

// INVALID_ARGUMENT, saying what is wrong, for a record that is truncated, oversized, of another
// layout version or of a kind or content that no program of ours writes.
absl::StatusOr<Record> Decode(std::span<const std::byte> bytes);

}  // namespace kvmsentry
