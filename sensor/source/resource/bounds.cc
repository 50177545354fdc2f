#include "sensor/source/resource/bounds.h"

#include <algorithm>

namespace kvmsentry {
namespace {

// A region may be handed to a device (ivshmem, pmem) instead of being a part of the memory.
uint64_t SizeOfBacking(const given::Memory& memory) {
  uint64_t all = 0;
  for (const given::MemoryBacking& backing : memory.backing) {
    // Only open: it was given by nobody.
    if (backing.size.origin != FactOrigin::kOpenFile) all += backing.size.value.value_or(0);
  }
  return all;
}

}  // namespace

Bounds BoundsOf(const Given& given) {
  Bounds bounds;
  const given::Cpus& cpus = given.cpus;
  if (cpus.start.known()) bounds.vcpus = std::max(*cpus.start.value, cpus.max.value.value_or(0));
  const given::Memory& memory = given.memory;
  const bool has_others_memory = std::ranges::any_of(given.devices, [](const auto& device) {
    return device.kind.value.value_or("").starts_with("vfio");
  });
  if (!memory.size.known() || has_others_memory) return bounds;
  bounds.memory = std::max(*memory.size.value, memory.max.value.value_or(0)) +
                  SizeOfBacking(memory) + kDeviceMemory;
  return bounds;
}

}  // namespace kvmsentry
