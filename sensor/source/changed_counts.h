// Which counts changed since the engine last heard of them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

// Most VMs rest most of the time. Their counts need not pass through the engine at every tick: it
// hears once that all others are as they were (Engine::ObserveUnchanged). Not thread safe.
class ChangedCounts {
 public:
  // True where COUNT, a kCount, is the first of its VM, part and feature or differs from the latest
  // one; it is the latest from then on.
  bool Changed(const Observation& count);

  // The next count of each of its features is a first one: the VM is gone, or other specs select
  // it, which know no count yet.
  void Forget(VmId vm);
  void ForgetAll() { latest_.clear(); }

 private:
  std::map<std::pair<VmId, PartId>, std::vector<std::optional<uint64_t>>> latest_;  // by feature
};

}  // namespace kvmsentry
