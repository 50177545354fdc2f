// What is known of a VM from outside: what selectors match and alerts name.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/base/ids.h"
#include "sensor/base/time.h"

namespace kvmsentry {

// What VmFacts::vmm can be.
inline constexpr std::array<absl::string_view, 5> kVmms = {"qemu", "cloud-hypervisor",
                                                           "firecracker", "crosvm", "unknown"};

// Texts are escaped and bounded already.
struct VmFacts {
  VmId id;
  std::string name;    // given_name; that with a number where another VM that lives has it
  std::string uuid;    // in lower case; empty where the VMM was told none
  std::string vmm;     // one of kVmms
  std::string cgroup;  // path of the VMM's cgroup, "/" where it is in none
  uint32_t vcpus = 0;  // 0: unknown
  int32_t pid = 0;     // the process that created it
  // The name that the VMM was given, else "vm-PID". Selectors match this one: several VMs may have
  // it, and none can leave a selector because another VM took its name first.
  std::string given_name = {};
  uint64_t start_ticks = 0;  // when the process began: with pid its identity; 0: not known
  friend bool operator==(const VmFacts&, const VmFacts&) = default;
};

}  // namespace kvmsentry
