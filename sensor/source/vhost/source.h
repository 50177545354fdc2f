// The source vhost: virtqueues that the host's kernel serves.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/source.h"
#include "sensor/source/vhost/tables.h"

namespace kvmsentry {

class VhostSource final : public Source {
 public:
  // PROBE outlives the source.
  static absl::StatusOr<std::unique_ptr<VhostSource>> Open(const Probe& probe, SharedState& state);

  SourceId id() const override { return SourceId::kVhost; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Unwatch(VmId vm) override { watched_.erase(vm); }
  absl::Status Release(const VmPlace& vm) override;
  std::vector<VmPlace> Places() const override { return tables_.Places(); }
  void Read(KernelTime now, std::span<const FeatureId> active,
            std::vector<Observation>* out) override;
  void TakeUntold(std::vector<Observation>* out) override;
  std::vector<Provider> Providers() const override;
  std::vector<Loss> Losses() const override;
  void Show(const VmPlace& vm, bool with_exits, VmDetails* details) const override;

  // For tests.
  VhostTables& tables() { return tables_; }

 private:
  VhostSource(const Probe& probe, VhostTables tables)
      : probe_(&probe), tables_(std::move(tables)) {}

  const Probe* probe_;
  VhostTables tables_;
  std::map<VmId, Slot> watched_;
  std::map<VmId, VhostCounts> counts_;  // as of the latest Read()
  uint64_t losses_ = 0;                 // those that matter, as of the latest Read()
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_vhost_losses& losses);

}  // namespace kvmsentry
