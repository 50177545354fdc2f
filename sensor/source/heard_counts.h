// The counts of one source that the engine has heard of each VM and of its parts. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "sensor/base/ids.h"
#include "sensor/feature/part.h"

namespace kvmsentry {

// Most VMs rest most of the time. Their counts need not pass through the engine at every tick: it
// hears once that all others are as they were (Sample::unchanged). Not thread safe.
class HeardCounts {
 public:
  // Of VM's PART, by meter; empty: the engine knows none. Valid until another call.
  std::vector<uint64_t>& Of(VmId vm, PartId part = {}) {
    OfVm& counts = counts_[vm];
    return part == PartId{} ? counts.whole : counts.parts[part];
  }

  // The next count of each of its meters is a first one: the VM is gone, or other specs select it,
  // which know no count yet.
  void Forget(VmId vm) { counts_.erase(vm); }
  void ForgetAll() { counts_.clear(); }

 private:
  struct OfVm {
    std::vector<uint64_t> whole;
    std::map<PartId, std::vector<uint64_t>> parts;
  };
  absl::flat_hash_map<VmId, OfVm> counts_;
};

}  // namespace kvmsentry
