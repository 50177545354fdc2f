// The source vmm: what the processes of VMs do on the host, and what strangers do to them and to
// the VMs' images. Acts with words come by the ring, all else as counts and bits.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/vm_row_source.h"
#include "sensor/source/vmm/tables.h"

namespace kvmsentry {

class VmmSource final : public VmRowSource<VmmTables> {
 public:
  static absl::StatusOr<std::unique_ptr<VmmSource>> Open(const Probe& probe, SharedState& state);

  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  std::vector<Loss> Losses() const override;

 private:
  explicit VmmSource(VmmTables tables) : VmRowSource(SourceId::kVmm, std::move(tables)) {}
  void ReadRow(VmId vm, ks_vmm_vm_row& row, KernelTime now, std::vector<Observation>* out) override;
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_vmm_losses& losses);

}  // namespace kvmsentry
