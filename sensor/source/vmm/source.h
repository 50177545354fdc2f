// The source vmm: what the processes of VMs do on the host, and what strangers do to them and to
// the VMs' images. Acts with words come by the ring, all else as counts and bits.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sensor/probe/probe.h"
#include "sensor/source/vm_row_source.h"
#include "sensor/source/vmm/copies.h"
#include "sensor/source/vmm/network_acts.h"
#include "sensor/source/vmm/survivors.h"
#include "sensor/source/vmm/tables.h"
#include "sensor/source/vmm/vmms.h"

namespace kvmsentry {

class VmmSource final : public VmRowSource<VmmTables> {
 public:
  static absl::StatusOr<std::unique_ptr<VmmSource>> Open(const Probe& probe, SharedState& state);

  void Watch(const VmPlace& vm, std::span<const Limit> limits) override;
  void Describe(VmId vm, const VmFacts& facts, const DeviceList& devices) override;
  void Entitle(VmId vm, const Given& given) override;
  void End(const VmPlace& vm) override;
  void Unwatch(VmId vm) override;
  absl::Status Release(const VmPlace& vm) override;
  void Read(const Sampling& sampling, Reading* out) override;
  std::vector<Loss> Losses() const override;

  // SEEN, which the ring told, is to be explained first by what its VM was given: a later Read()
  // gives it, or nothing does.
  bool Keeps(const Observation& seen) { return network_acts_.Keep(seen); }

  // Whether processes live on of VM, which has ended: its VMM, if it has no newer VM, or children.
  // Once End() was called, at the latest look, at most a second ago.
  bool LivesOn(const VmPlace& vm);

 private:
  // A VM that has ended, and of which processes live.
  struct Ended {
    std::optional<KernelTime> without_vmm;  // since when
    bool lives_on = true;                   // at the latest look
  };

  VmmSource(VmmTables tables, Survivors survivors)
      : VmRowSource(SourceId::kVmm, std::move(tables)), survivors_(std::move(survivors)) {}
  void ReadRow(VmId vm, ks_vmm_vm_row& row, KernelTime now, Reading* out) override;
  std::optional<VmmProcess> LivingVmm(VmId vm) const;
  bool IsLastOf(const VmmProcess& process, VmId vm) const;
  void LookAtEnded(KernelTime now, std::vector<Observation>* out);
  void LookAtChildren(KernelTime now, std::vector<Observation>* out);

  Survivors survivors_;
  Vmms vmms_;
  NetworkActs network_acts_;
  std::map<VmId, Ended> ended_;
  KernelTime looked_at_;           // those
  std::map<VmId, Copies> copies_;  // of those that have children
  KernelTime looked_at_children_;
};

// What the kernel's row says, in words.
std::vector<Loss> DescribeLosses(const ks_vmm_losses& losses);

}  // namespace kvmsentry
