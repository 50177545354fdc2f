// In which order VMs are listed. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kvmsentry/v1/sensor.pb.h"

namespace kvmsentry {

// By kName the natural order ("vm2" before "vm10"); by kAge the youngest first; by all others the
// highest first, and among equals by name. VMs of which it is not known come last.
enum class VmKey : uint8_t {
  kSeverity,
  kScore,
  kName,
  kAge,
  kOpen,
  kCpu,
  kMemory,
  kDisk,
  kNet,
  kRate
};

// The names of the keys as people write them, in the order of the enum.
std::vector<std::string> VmKeyNames();

void SortVms(VmKey key, std::vector<v1::VmStatus>& vms);

}  // namespace kvmsentry
