// The source vmm: what the processes of VMs do on the host, and what strangers do to them and to
// the VMs' images. Acts with words come by the ring, all else as counts and bits.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/observe.h"
#include "sensor/source/source.h"
#include "sensor/source/vmm/tables.h"

namespace kvmsentry {

class VmmSource final : public Source {
 public:
  static absl::StatusOr<std::unique_ptr<VmmSource>> Open(const Probe& probe, SharedState& state);

  SourceId id() const override { return SourceId::kVmm; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Unwatch(VmId vm) override { watched_.erase(vm); }
  absl::Status Release(const VmPlace& vm) override;
  std::vector<VmPlace> Places() const override { return tables_.Places(); }
  void Read(const Sampling& sampling, std::vector<Observation>* out) override;
  void TakeUntold(std::vector<Observation>* out) override;
  std::vector<Loss> Losses() const override;
  std::shared_ptr<const SourceCounts> counts() const override { return counts_; }
  absl::string_view Tampered() const override { return tampered_; }

  // For tests.
  VmmTables& tables() { return tables_; }

 private:
  explicit VmmSource(VmmTables tables) : tables_(std::move(tables)) {}
  void ObserveBits(VmId vm, ks_vmm_vm_row& row, KernelTime now, std::vector<Observation>* out);

  VmmTables tables_;
  std::map<VmId, Slot> watched_;
  std::shared_ptr<const CountsByVm> counts_ =
      std::make_shared<const CountsByVm>(SourceId::kVmm, KS_VMM_METERS);
  uint64_t losses_ = 0;  // those that matter, as of the latest Read()
  std::string tampered_;
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_vmm_losses& losses);

}  // namespace kvmsentry
