// The source vfio: devices of the host that are handed to guests.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/vfio/tables.h"
#include "sensor/source/vm_row_source.h"

namespace kvmsentry {

class VfioSource final : public VmRowSource<VfioTables> {
 public:
  static absl::StatusOr<std::unique_ptr<VfioSource>> Open(const Probe& probe, SharedState& state);

  std::vector<Loss> Losses() const override;

  // The ioctls, by KS_IOCTL_MEMBER of ks_vfio_kind, that VM's VMM made since the last time.
  std::vector<uint32_t> TakeIoctls(const VmPlace& vm);

 private:
  explicit VfioSource(VfioTables tables) : VmRowSource(SourceId::kVfio, std::move(tables)) {}
  void ReadRow(VmId vm, ks_vfio_vm_row& row, KernelTime now, Reading* out) override;
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_vfio_losses& losses);

}  // namespace kvmsentry
