// The source kvm: VMs, their vCPUs, and what these do at the boundary.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/kvm/counts.h"
#include "sensor/source/kvm/tables.h"
#include "sensor/source/source.h"

namespace kvmsentry {

class KvmSource final : public Source {
 public:
  // PROBE outlives the source.
  static absl::StatusOr<std::unique_ptr<KvmSource>> Open(const Probe& probe, SharedState& state);

  SourceId id() const override { return SourceId::kKvm; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Unwatch(VmId vm) override { watched_.erase(vm); }
  absl::Status Release(const VmPlace& vm) override;
  void Read(KernelTime now, std::span<const FeatureId> active,
            std::vector<Observation>* out) override;
  void TakeUntold(std::vector<Observation>* out) override;
  std::vector<Provider> Providers() const override;
  std::vector<Loss> Losses() const override;
  void BeforeAttach() override { tables_.ForgetTimings(); }
  void Show(const VmPlace& vm, bool with_exits, VmDetails* details) const override;
  absl::Status Audit() override;

  // For the inventory, and for tests.
  KvmTables& tables() { return tables_; }
  const KvmTables& tables() const { return tables_; }
  // Of all VMs that live, as of the latest Read().
  const std::vector<KvmCounts>& counts() const { return counts_; }

 private:
  KvmSource(const Probe& probe, KvmTables tables) : probe_(&probe), tables_(std::move(tables)) {}
  void Compare(const std::vector<KvmCounts>& before);
  void ObserveMembers(const KvmTables::Members& members, KernelTime now,
                      std::vector<Observation>* out) const;

  const Probe* probe_;
  KvmTables tables_;
  std::map<VmId, Slot> watched_;
  std::vector<KvmCounts> counts_;
  uint64_t losses_ = 0;   // those that matter, as of the latest Read()
  std::string tampered_;  // what somebody did to the tables that no look can undo
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_kvm_losses& losses);

}  // namespace kvmsentry
