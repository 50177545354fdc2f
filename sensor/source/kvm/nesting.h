// Whether a guest runs guests of its own though it was not given that. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"

namespace kvmsentry {

class Nesting {
 public:
  // What a VM does before it is known what it was given waits so long; then it was given nothing.
  static constexpr int64_t kWaitNs = 60 * kNsPerSecond;

  void Entitle(VmId vm, bool given);
  void Forget(VmId vm);

  // VM was left for EXIT, exit_member() of bpf/kvm/exit_reason.h.
  void Take(VmId vm, uint32_t exit, KernelTime now);
  // The exits of VMs that were not given guests, by which they enter or make some. Each once for
  // each time that it was taken.
  std::vector<std::pair<VmId, uint32_t>> Outside(KernelTime now);

 private:
  struct Waiting {
    KernelTime since;
    std::set<uint32_t> exits;
  };
  std::map<VmId, bool> given_;
  std::map<VmId, Waiting> waiting_;
};

}  // namespace kvmsentry
