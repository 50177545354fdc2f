// What is known of a VM from outside: what selectors match and alerts name.
#pragma once

#include <cstdint>
#include <string>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"

namespace kvmsentry {

// Texts are escaped and bounded already.
struct VmFacts {
  VmId id;
  std::string name;    // from the VMM, else "vm-PID"
  std::string uuid;    // empty where the VMM was told none
  std::string vmm;     // "qemu", "cloud-hypervisor", "firecracker", "unknown"
  std::string cgroup;  // path of the VMM's cgroup, "/" where it is in none
  int32_t pid = 0;     // the process that created it
  friend bool operator==(const VmFacts&, const VmFacts&) = default;
};

}  // namespace kvmsentry
