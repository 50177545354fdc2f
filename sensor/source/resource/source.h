// The source resource: what VMs use of the host's processors, memory, disks and network, and
// whether they get it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/resource/survey.h"
#include "sensor/source/resource/tables.h"
#include "sensor/source/resource/watched_vm.h"
#include "sensor/source/resource/zoom.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// What passes have found of all VMs.
class ResourceTally final : public SourceCounts {
 public:
  void Put(VmId vm, const ResourceUse& use) { uses_[vm] = use; }
  void Show(const VmPlace& vm, VmDetails* details) const override;

 private:
  std::map<VmId, ResourceUse> uses_;
};

class ResourceSource final : public Source {
 public:
  // PROBE outlives the source.
  static absl::StatusOr<std::unique_ptr<Source>> Open(const Probe& probe, SharedState& state);

  SourceId id() const override { return SourceId::kResource; }
  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Describe(VmId vm, const VmFacts& facts, const DeviceList& devices) override;
  void Entitle(VmId vm, const Given& given) override;
  void Unwatch(VmId vm) override;
  absl::Status Release(const VmPlace& vm) override;
  void AfterAttach() override;
  void Read(const Sampling& sampling, Reading* out) override;
  // It reads once a second, and not what the kernel does not give.
  bool GivesAllCounts() const override { return false; }
  void TakeUntold(std::vector<Observation>* /*out*/) override {}
  std::shared_ptr<const SourceCounts> counts() const override { return tally_; }
  std::span<const FileSight> FileSights() const override { return sights_; }
  std::vector<Loss> Losses() const override;

 private:
  ResourceSource(const Probe& probe, ResourceTables tables)
      : probe_(&probe), tables_(std::move(tables)) {}
  Survey::Programs Programs() const;
  void TakePass(const Survey::Report& report);
  void ObserveTakers(const Survey::Report& report, ResourceWriter& write) const;
  std::string NameOf(const Survey::Taker& taker) const;
  void Order(KernelTime now);

  const Probe* probe_;
  ResourceTables tables_;
  std::map<VmId, ResourceVm> vms_;
  std::map<VmId, std::string> names_;
  std::shared_ptr<const ResourceTally> tally_ = std::make_shared<const ResourceTally>();
  std::vector<FileSight> sights_;
  uint64_t passes_ = 0;  // that were taken
  Zoom zoom_;
  std::unique_ptr<Survey> survey_;  // begun by the first Read(): the programs are loaded by then
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_resource_losses& losses);

}  // namespace kvmsentry
