// The source kvm: VMs, their vCPUs, and what these do at the boundary.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "sensor/inventory/process.h"
#include "sensor/probe/probe.h"
#include "sensor/source/kvm/counts.h"
#include "sensor/source/kvm/nesting.h"
#include "sensor/source/kvm/tables.h"
#include "sensor/source/kvm/windows.h"
#include "sensor/source/source.h"

namespace kvmsentry {

class KvmSource final : public Source {
 public:
  static absl::StatusOr<std::unique_ptr<KvmSource>> Open(const Probe& probe, SharedState& state);

  SourceId id() const override { return SourceId::kKvm; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Describe(VmId vm, const VmFacts& facts, const DeviceList& devices) override;
  void Entitle(VmId vm, const Given& given) override;
  void End(const VmPlace& vm) override;
  void Unwatch(VmId vm) override;
  absl::Status Release(const VmPlace& vm) override;
  void Read(const Sampling& sampling, Reading* out) override;
  void TakeUntold(std::vector<Observation>* out) override;
  std::vector<Loss> Losses() const override;
  std::shared_ptr<const SourceCounts> counts() const override { return tally_; }
  void BeforeAttach() override { tables_.ForgetTimings(); }
  absl::string_view Tampered() const override { return tampered_; }
  absl::Status Audit() override { return tables_.Audit(); }

  // For the inventory, and for tests.
  KvmTables& tables() { return tables_; }
  const KvmTables& tables() const { return tables_; }
  // How often the map owners had no room for what a VM has.
  uint64_t things_refused() const { return things_refused_; }
  // Of all VMs that live, as of the latest Read().
  std::span<const KvmCounts> vms() const { return tally_->vms(); }

 private:
  struct Watched {
    Slot slot = 0;
    std::vector<OwnedThing> things;  // its own
    // The process that had it first, while that lives: it need not hold the VM's files any more.
    std::optional<OwnedThing> vmm;
    // As first known: a VMM that was taken over may put something else in a folder's place.
    std::vector<OwnedThing> folders;
    // The same of helpers, while they live: one that was taken over may look like something else.
    std::set<OwnedThing> helpers;
    std::set<std::string> shared;    // see SharedDisksOf()
    std::optional<Windows> windows;  // nullopt: not known
  };

  explicit KvmSource(KvmTables tables) : tables_(std::move(tables)) {}
  void TakeHelpers(const Given& given, std::set<OwnedThing>* helpers);
  void Own(VmId vm, const Watched& watched);
  void Own(const VmPlace& vm, const std::vector<OwnedThing>& things);
  void DropDeadVmms(KernelTime now);
  bool IsAlive(const OwnedThing& process);
  void Compare(const KvmTally& before);
  static void ObserveMembers(const KvmTables::Members& members, std::vector<Sighting>* out);
  void ObserveOutside(const KvmTables::Members& members, KernelTime now,
                      std::vector<Observation>* out) const;

  KvmTables tables_;
  ProcFs processes_;
  absl::flat_hash_map<VmId, Watched> watched_;
  Nesting nesting_;
  // Of VMs that have ended, their VMMs, which may go on without.
  struct Ended {
    Slot slot = 0;
    std::vector<OwnedThing> vmms;
  };
  std::map<VmId, Ended> ended_;
  KernelTime vmms_seen_;
  std::shared_ptr<const KvmTally> tally_ = std::make_shared<const KvmTally>();
  uint64_t things_refused_ = 0;
  std::string tampered_;  // what somebody did to the tables that no look can undo
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_kvm_losses& losses);

}  // namespace kvmsentry
