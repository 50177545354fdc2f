// Which counts changed since the engine last heard of them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/feature/feature.h"

namespace kvmsentry {

// Most VMs rest most of the time. Their counts need not pass through the engine at every tick: it
// hears once that all others are as they were (Engine::ObserveUnchanged). Not thread safe.
class ChangedCounts {
 public:
  // What was heard of one VM.
  class OfVm {
   public:
    OfVm();
    // True where COUNT is the first of FEATURE or differs from the latest one; it is the latest
    // from then on.
    bool Changed(FeatureId feature, uint64_t count) {
      std::optional<uint64_t>& latest = latest_[static_cast<size_t>(feature)];
      if (latest == count) return false;
      latest = count;
      return true;
    }

   private:
    std::vector<std::optional<uint64_t>> latest_;  // by feature
  };
  OfVm& Of(VmId vm) { return vms_[vm]; }

  // The next count of each of its features is a first one: the VM is gone, or other specs select
  // it, which know no count yet.
  void Forget(VmId vm) { vms_.erase(vm); }
  void ForgetAll() { vms_.clear(); }

 private:
  std::map<VmId, OfVm> vms_;
};

}  // namespace kvmsentry
