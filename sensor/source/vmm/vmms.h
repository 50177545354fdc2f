// Which processes are VMs' own, of the VMs that are watched, and which VMs each has. Pure. Not
// thread safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "sensor/base/ids.h"

namespace kvmsentry {

struct VmmProcess {
  int32_t pid = 0;
  uint64_t start_ticks = 0;

  friend auto operator<=>(const VmmProcess&, const VmmProcess&) = default;
};

class Vmms {
 public:
  // PROCESS holds VM's files now. The first that did stays the VM's, too: it may have handed them
  // to another, which can do nothing with them (virt/kvm/kvm_main.c, kvm_vm_ioctl: -EIO).
  void Put(VmId vm, const VmmProcess& process);
  void Remove(VmId vm);

  // The first and, if that is another, the latest; none of a VM that is not known.
  std::vector<VmmProcess> Of(VmId vm) const;

  // In their order of birth.
  const std::set<VmId>& VmsOf(const VmmProcess& process) const;

 private:
  std::map<VmId, std::vector<VmmProcess>> processes_;
  std::map<VmmProcess, std::set<VmId>> vms_;
};

}  // namespace kvmsentry
