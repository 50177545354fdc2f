// What a VM's processes did on the network while it was not known yet whether a network or a disk
// that the VM was given explains it: it waits until that is known. Pure. Not thread safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

class NetworkActs {
 public:
  // What a VM was given is read within a second or two. Whatever keeps that, and whatever a VM does
  // meanwhile, nothing waits for longer, and no more than so much of a VM.
  static constexpr int64_t kWaitNs = 10 * kNsPerSecond;
  static constexpr size_t kMostWaiting = 64;

  // SEEN is something that waits, and is kept: Take() gives it, unless it is explained.
  bool Keep(const Observation& seen);

  // NETWORKS, bits of ks_network, are what the VM was given, and REMOTES where its VMM was told to
  // connect (remotes.h).
  void Know(VmId vm, uint64_t networks, std::vector<std::string> remotes = {});
  // VM is not watched any more: what waits is dropped, and nothing is known of it.
  void Forget(VmId vm);

  // Appends what waits no more, none of which a network explains.
  void Take(KernelTime now, std::vector<Observation>* out);

 private:
  // What was sent or noted before the programs were told of the networks has come by so many calls
  // of Take().
  static constexpr int kSettlingTakes = 2;

  struct Known {
    uint64_t networks = 0;
    std::vector<std::string> remotes;
  };

  std::map<VmId, Known> known_;   // what Know() was told
  std::map<VmId, int> settling_;  // calls of Take() that remain
  std::map<VmId, std::vector<Observation>> waiting_;
  std::vector<Observation> ready_;
};

}  // namespace kvmsentry
