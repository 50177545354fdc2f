// Whether a guest runs guests of its own though nothing says that it may. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/given/given.h"

namespace kvmsentry {

// Whether the command line gives svm or vmx to the VM by name. Not that of a VM which libvirt or
// KubeVirt manages: their model "host-model" names what the host has, whoever asked for it.
bool MayNest(const Given& given);

class Nesting {
 public:
  // What a VM does before it is known what it was given waits so long; from then on it may not.
  static constexpr int64_t kWaitNs = 60 * kNsPerSecond;

  void Allow(VmId vm, bool allowed);
  void Forget(VmId vm);

  // VM was left for EXIT, exit_member() of bpf/kvm/exit_reason.h.
  void Record(VmId vm, uint32_t exit, KernelTime now);
  // The exits by which VMs that may not entered guests of their own since the last call, each kind
  // of exit once for a VM.
  std::vector<std::pair<VmId, uint32_t>> Drain(KernelTime now);

 private:
  struct Waiting {
    KernelTime since;
    std::set<uint32_t> exits;
  };
  std::map<VmId, bool> allowed_;
  std::map<VmId, Waiting> waiting_;
};

}  // namespace kvmsentry
