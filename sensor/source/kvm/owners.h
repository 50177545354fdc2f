// Whose is it: the map from things of the host to the VM that they belong to, which programs of all
// sources read (bpf/kvm/vms.bpf.h).
//
// Address spaces are said by programs when they register a VM, all else by user space. Whatever
// names a VM that is gone goes before the VM's slot is used again; readers make sure by the serial.
#pragma once

#include <set>
#include <span>
#include <vector>

#include "bpf/kvm/records.h"
#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/probe/probe.h"
#include "sensor/source/kvm/owner_book.h"

namespace kvmsentry {

// Move-only. Not thread safe.
class Owners {
 public:
  // Empties the map, and says again what ROWS, of VMs that live, tell of their address spaces. No
  // program of this run may be attached yet.
  static absl::StatusOr<Owners> Open(const Probe& probe, std::span<const ks_vm_row> rows);

  // From now on THINGS, and nothing else but its address space, are of VM.
  absl::Status Say(const VmPlace& vm, const std::vector<OwnedThing>& things);

  // The VM of ROW has ended, and its row is still there: its address space is not its any more.
  // What was said of it is taken back by saying nothing.
  void Forget(const ks_vm_row& row);

  // Whether address spaces that had several VMs may have none any more: then call Collect(), with
  // the rows of all VMs, read after this.
  bool WantsRows() const { return !doubtful_.empty(); }
  template <typename Rows>
  void Collect(const Rows& rows) {
    TakeDoubtful();
    for (const ks_vm_row& row : rows) PutBack(row);
    doubtful_.clear();
  }

 private:
  void TakeDoubtful();
  void PutBack(const ks_vm_row& row);
  absl::Status Tell();

  Fd map_;
  OwnerBook book_;
  std::set<uint64_t> doubtful_;  // address spaces
};

}  // namespace kvmsentry
