// The VMs' own processes, each with the VMs that it has had. Pure. Not thread safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "sensor/base/ids.h"

namespace kvmsentry {

struct VmmProcess {
  int32_t pid = 0;
  uint64_t start_ticks = 0;  // 0: not known

  friend auto operator<=>(const VmmProcess&, const VmmProcess&) = default;
};

class Vmms {
 public:
  void Put(VmId vm, const VmmProcess& process);
  void Remove(VmId vm);

  std::optional<VmmProcess> Of(VmId vm) const;

  // The VMs of VM's process, in their order of birth; none of a VM that is not known.
  const std::set<VmId>& Siblings(VmId vm) const;

 private:
  std::map<VmId, VmmProcess> processes_;
  std::map<VmmProcess, std::set<VmId>> vms_;
};

}  // namespace kvmsentry
