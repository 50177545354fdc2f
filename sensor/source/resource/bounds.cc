#include "sensor/source/resource/bounds.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace kvmsentry {
namespace {

// What is handed to devices (ivshmem) beside the memory itself, which may be among the back ends.
uint64_t BesideMemory(const given::Memory& memory) {
  uint64_t all = 0;
  for (const given::MemoryBacking& backing : memory.backing) {
    // Only open: it was given by nobody.
    if (backing.size.origin != FactOrigin::kOpenFile) all += backing.size.value.value_or(0);
  }
  const uint64_t size = *memory.size.value;
  return all >= size ? all - size : all;
}

bool BringsMemory(const given::HostDevice& device) {
  const std::string kind = device.kind.value.value_or("");
  return absl::StartsWith(kind, "vfio") || kind == "pmem";
}

// A default holds where all of the command line was understood.
template <typename T>
bool Holds(const Fact<T>& fact, const Given& given) {
  return fact.known() && (fact.origin != FactOrigin::kDefault || given.gaps.empty());
}

}  // namespace

Bounds BoundsOf(const Given& given) {
  Bounds bounds;
  const given::Cpus& cpus = given.cpus;
  if (Holds(cpus.start, given))
    bounds.vcpus = std::max(*cpus.start.value, cpus.max.value.value_or(0));
  const given::Memory& memory = given.memory;
  if (!Holds(memory.size, given) || std::ranges::any_of(given.devices, BringsMemory)) return bounds;
  bounds.memory = std::max(*memory.size.value, memory.max.value.value_or(0)) +
                  BesideMemory(memory) + kDeviceMemory;
  return bounds;
}

}  // namespace kvmsentry
