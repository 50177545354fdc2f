// Processes that VMs have made, and that live: of VMs that have ended, and children of others.
//
// Programs follow each child of a VM's processes until it ends (bpf/vmm/process.bpf.c). Left out
// are those that ended while no program was attached, between two runs, and what helpers made,
// which may be there for other VMs, too.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sensor/base/fd.h"
#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/inventory/process.h"
#include "sensor/probe/probe.h"

namespace kvmsentry {

struct Survivor {
  int32_t pid = 0;
  std::string program;  // its file name, escaped
  uint64_t begin = 0;   // in which a number that is used again differs
  bool copied =
      false;  // a fork of a VM's process, made while the guest ran, that started no program
};

// Move-only. Not thread safe.
class Survivors {
 public:
  static absl::StatusOr<Survivors> Open(const Probe& probe);

  // The processes of VMS that live; VMs that have none are left out. Takes time by the number of
  // processes that all VMs have made and that live: some milliseconds for the most.
  std::map<VmId, std::vector<Survivor>> Of(const std::set<VmId>& vms);

  bool Lives(int32_t pid, uint64_t start_ticks) const { return processes_.Lives(pid, start_ticks); }

 private:
  Fd children_;  // the map vmm_children
  ProcFs processes_;
};

}  // namespace kvmsentry
