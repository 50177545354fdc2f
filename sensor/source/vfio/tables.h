// The tables of the source vfio, mapped into this process: read without system calls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/vfio/records.h"
#include "sensor/base/status.h"
#include "sensor/feature/limit.h"
#include "sensor/probe/mapped_rows.h"
#include "sensor/probe/probe.h"
#include "sensor/probe/row_table.h"
#include "sensor/source/shared_state.h"
#include "sensor/source/source.h"

namespace kvmsentry {

struct VfioCounts {
  VmPlace vm;
  uint64_t count[KS_VFIO_METERS] = {};
};

// Move-only. Not thread safe against itself; the kernel's programs run beside it.
class VfioTables {
 public:
  static absl::StatusOr<VfioTables> Open(const Probe& probe, SharedState& state);

  const ks_vfio_losses& losses() const { return losses_.rows()[0]; }
  // The VMs that have rows here.
  std::vector<VmPlace> Places() const;
  // Of every VM that has one, in the order of slots.
  std::vector<VfioCounts> ReadCounts() const;
  VfioCounts CountsOf(const VmPlace& vm) const;
  void SetLimits(const VmPlace& vm, std::span<const Limit> limits);
  std::vector<ks_limit_crossed> TakeUntold();
  // The ioctls, by KS_IOCTL_MEMBER of ks_vfio_kind, that its VMM made since the last time.
  std::vector<uint32_t> TakeIoctls(const VmPlace& vm);
  void Release(const VmPlace& vm);

 private:
  bool IsOf(const VmPlace& vm) const;

  uint64_t ring_full_ = 0;  // losses when TakeUntold() looked last
  MappedRows<const ks_vfio_losses> losses_;
  RowsInUse used_;
  RowTable<ks_vfio_vm_row> vms_;
  RowTable<ks_vfio_limits> limits_;
};

}  // namespace kvmsentry
