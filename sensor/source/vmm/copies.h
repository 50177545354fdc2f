// Forks of a VM's processes that live on and start no program. Pure. Not thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/source/vmm/survivors.h"

namespace kvmsentry {

class Copies {
 public:
  // A fork that is about to start a program, or that writes down the state of its parent, is over
  // by then.
  static constexpr int64_t kStaysNs = 5 * kNsPerSecond;

  // CHILDREN of one VM are those that live NOW. Those of them that have been copies for so long.
  std::vector<Survivor> Take(KernelTime now, const std::vector<Survivor>& children);

 private:
  std::map<std::pair<int32_t, uint64_t>, KernelTime> since_;  // by number and begin
};

}  // namespace kvmsentry
