// VMs' taps go by their interfaces' names: "tap-vnet3" in alerts and for selectors, not "tap-17".
#pragma once

#include <map>
#include <set>

#include "sensor/base/ids.h"
#include "sensor/engine/engine.h"
#include "sensor/inventory/device.h"

namespace kvmsentry {

// Pure. Not thread safe.
class TapNames {
 public:
  // VM has DEVICES now. Says to ENGINE what its taps are called, and which it has no more.
  void Take(VmId vm, const DeviceList& devices, Engine& engine);
  void Forget(VmId vm) { known_.erase(vm); }

 private:
  std::map<VmId, std::set<PartId>> known_;
};

}  // namespace kvmsentry
