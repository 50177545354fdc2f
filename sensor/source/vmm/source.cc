#include "sensor/source/vmm/source.h"

#include <utility>

#include "sensor/base/load.h"
#include "sensor/feature/member_kind.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/take_bits.h"
#include "sensor/source/vmm/acts.h"

namespace kvmsentry {
namespace {

// The features of the sets that are bits.
struct BitFeatures {
  FeatureId code = FeatureNamed("vmm.code");
  FeatureId call = FeatureNamed("vmm.call");
  FeatureId slot = FeatureNamed("memory.slot");
  FeatureId signal = FeatureNamed("vmm.signal");
  FeatureId refused = FeatureNamed("vmm.refused_call");
};

const BitFeatures& Bits() {
  static const BitFeatures bits;
  return bits;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VmmSource>> VmmSource::Open(const Probe& probe, SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(VmmTables tables,
                             VmmTables::Open(probe, state, SourceId::kVmm, "vmm", KS_VMM_VERSION));
  std::unique_ptr<VmmSource> source(new VmmSource(std::move(tables)));
  source->Begin();
  return source;
}

// Programs send no records of VMs that are not watched yet.
void VmmSource::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  VmRowSource::Watch(vm, limits);
  __atomic_store_n(&tables_.LimitsOf(vm.slot).watched, vm.vm.serial, __ATOMIC_RELEASE);
}

void VmmSource::ReadRow(VmId vm, ks_vmm_vm_row& row, KernelTime now,
                        std::vector<Observation>* out) {
  if (Load(row.changed) == 0) return;
  __atomic_store_n(&row.changed, 0, __ATOMIC_SEQ_CST);
  const auto observe = [&](FeatureId feature) {
    return [=](uint64_t member) { ObserveMember(vm, now, feature, member, out); };
  };
  TakeBits(row.code, 0, observe(Bits().code));
  TakeBits(row.calls, 0, observe(Bits().call));
  TakeBits(row.slots, 0, observe(Bits().slot));
  TakeBits(row.signals, 0, observe(Bits().signal));
  TakeAllBits(row.refused, observe(Bits().refused));
  TakeBits(row.unsent, 0, [&](uint64_t act) {
    if (act >= KS_ACTS) return;
    ObserveMember(vm, now, FeatureOfAct(static_cast<ks_act>(act)), kUntoldMember, out);
  });
}

std::vector<Loss> VmmSource::Losses() const { return DescribeLosses(tables_.losses()); }

std::vector<Loss> DescribeLosses(const ks_vmm_losses& losses) {
  return {
      {"ring_full", "records that found no room in the ring: reported late, by the next tick",
       Load(losses.ring_full), true},
      {"row_lookup", "slots that led to no row of a table", Load(losses.row_lookup), true},
      {"missed_return", "calls whose return no kretprobe saw: not counted",
       Load(losses.missed_return), true},
      {"child_untracked",
       "children of VMs' processes beyond 1,024 of a VM, 16,384 of all: what they do is not seen",
       Load(losses.child_untracked), true},
      {"orphan_act", "acts of children of VMs' processes that outlived the VM: reported for no VM",
       Load(losses.orphan_act), false},
  };
}

}  // namespace kvmsentry
