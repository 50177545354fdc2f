// The source entitlement: what each VM has against what it was given. It has no BPF: it gets what
// was read of each VM (sensor/given), and says what of it is a member of which set.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sensor/given/given.h"
#include "sensor/probe/probe.h"
#include "sensor/source/observe.h"
#include "sensor/source/shared_state.h"
#include "sensor/source/source.h"

namespace kvmsentry {

class EntitlementSource final : public Source {
 public:
  static absl::StatusOr<std::unique_ptr<EntitlementSource>> Open(const Probe& probe,
                                                                 SharedState& state);

  // What is not declared must have been open for so long: a manager writes its own files only once
  // the VMM has taken a device, and they are read every half a minute (GivenBook).
  static constexpr int64_t kUndeclaredForNs = 45 * kNsPerSecond;
  // A VMM may confine itself further, in a namespace or under a label of its own, once it has a
  // vCPU: what it has at the end of that time is what it has at first. Longer than until it is read
  // again.
  static constexpr int64_t kConfinesItselfForNs = 45 * kNsPerSecond;
  // What lasts is observed again so often; windows of specs are longer.
  static constexpr int64_t kTellAgainNs = 5 * kNsPerSecond;

  SourceId id() const override { return SourceId::kEntitlement; }
  void Watch(const VmPlace& vm, std::span<const Limit> /*limits*/) override { (void)vms_[vm.vm]; }
  void Entitle(VmId vm, const Given& given) override;
  void Unwatch(VmId vm) override;
  absl::Status Release(const VmPlace& vm) override;
  void Read(const Sampling& sampling, Reading* out) override;
  void TakeUntold(std::vector<Observation>* /*out*/) override {}
  std::vector<Loss> Losses() const override { return {}; }
  std::shared_ptr<const SourceCounts> counts() const override { return counts_; }

  EntitlementSource() = default;

 private:
  struct Vm {
    std::optional<given::Privileges> first;
    std::optional<KernelTime> since;
    given::Privileges now;
    std::string runner, manager;
    std::map<std::string, std::optional<KernelTime>> undeclared;  // since when; none: not told yet
    std::map<std::string, std::string> memory;                    // see MemoryFilesOf
    std::map<std::string, uint64_t> image_sizes;                  // see GrownOf
    std::vector<std::string> grown;
    std::vector<std::string> full;      // see ImagesWithoutSpace
    std::vector<std::string> monitors;  // see NetworkMonitorsOf
    bool changed = false;
    KernelTime told;
  };
  // FILES are its memory from now on.
  void HaveMemory(VmId id, Vm& vm, std::map<std::string, std::string> files);
  void ReadVm(VmId id, Vm& vm, KernelTime now, bool managed, std::vector<Observation>* out) const;

  std::map<VmId, Vm> vms_;
  std::map<std::string, std::set<VmId>> holders_;  // of each file that is memory
  std::shared_ptr<const CountsByVm> counts_ =
      std::make_shared<const CountsByVm>(SourceId::kEntitlement, 0);
};

}  // namespace kvmsentry
