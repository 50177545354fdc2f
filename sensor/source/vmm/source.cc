#include "sensor/source/vmm/source.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sensor/base/load.h"
#include "sensor/base/time.h"
#include "sensor/feature/member_kind.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/take_bits.h"
#include "sensor/source/vmm/acts.h"
#include "sensor/source/vmm/networks.h"
#include "sensor/source/vmm/remotes.h"

namespace kvmsentry {
namespace {

// Scripts and helpers of a VMM may end a moment after it.
constexpr int64_t kGraceNs = 5 * kNsPerSecond;

// How often children are looked at; vmm-copy holds for longer.
constexpr int64_t kChildrenNs = 3 * kNsPerSecond;

// The features of the sets that are bits.
struct BitFeatures {
  FeatureId code = FeatureNamed("vmm.code");
  FeatureId call = FeatureNamed("vmm.call");
  FeatureId socket = FeatureNamed("vmm.socket");
  FeatureId slot = FeatureNamed("memory.slot");
  FeatureId signal = FeatureNamed("vmm.signal");
  FeatureId refused = FeatureNamed("vmm.refused_call");
};

const BitFeatures& Bits() {
  static const BitFeatures bits;
  return bits;
}

// Whether VMM is among them: it runs another program now, or was made by another of the VM's.
bool Includes(const std::vector<Survivor>& survivors, const VmmProcess& vmm) {
  return std::ranges::find(survivors, vmm.pid, &Survivor::pid) != survivors.end();
}

void ObserveProcesses(VmId vm, FeatureId feature, const std::vector<Survivor>& processes,
                      KernelTime now, std::vector<Observation>* out) {
  for (const Survivor& process : processes) {
    const std::string by = absl::StrCat(process.program, " (pid ", process.pid, ")");
    ObserveMember(vm, now, feature, {.text = process.program, .by = by}, out);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<VmmSource>> VmmSource::Open(const Probe& probe, SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(VmmTables tables,
                             VmmTables::Open(probe, state, SourceId::kVmm, "vmm", KS_VMM_VERSION));
  KVMSENTRY_ASSIGN_OR_RETURN(Survivors survivors, Survivors::Open(probe));
  return std::unique_ptr<VmmSource>(new VmmSource(std::move(tables), std::move(survivors)));
}

// Programs send no records of VMs that are not watched yet.
void VmmSource::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  VmRowSource::Watch(vm, limits);
  ks_vmm_limits& row = tables_.LimitsOf(vm.slot);
  if (Load(row.watched) == vm.vm.serial) return;
  __atomic_store_n(&row.networks, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&row.watched, vm.vm.serial, __ATOMIC_RELEASE);
}

void VmmSource::Entitle(VmId vm, const Given& given) {
  const auto slot = SlotOf(vm);
  if (!slot) return;
  const uint64_t networks = NetworksOf(given);
  __atomic_store_n(&tables_.LimitsOf(*slot).networks, networks, __ATOMIC_RELEASE);
  network_acts_.Know(vm, networks, RemotesOf(given));
}

void VmmSource::Describe(VmId vm, const VmFacts& facts, const DeviceList& /*devices*/) {
  if (facts.start_ticks == 0) return;  // a number alone is nobody
  vmms_.Put(vm, {.pid = facts.pid, .start_ticks = facts.start_ticks});
}

void VmmSource::End(const VmPlace& vm) { ended_.try_emplace(vm.vm); }

void VmmSource::Unwatch(VmId vm) {
  ended_.erase(vm);
  copies_.erase(vm);
  network_acts_.Forget(vm);
  vmms_.Remove(vm);
  VmRowSource::Unwatch(vm);
}

absl::Status VmmSource::Release(const VmPlace& vm) {
  Unwatch(vm.vm);
  return VmRowSource::Release(vm);
}

// Where a process closes several VMs at once, the older ones are asked for first, and the latest
// cannot know: it is kept, and let go at the next look if another one is alive.
bool VmmSource::LivesOn(const VmPlace& vm) {
  const auto ended = ended_.find(vm.vm);
  if (ended != ended_.end()) return ended->second.lives_on;
  const auto vmm = LivingVmm(vm.vm);
  if (vmm && *vmms_.VmsOf(*vmm).rbegin() == vm.vm) return true;
  const ks_vmm_vm_row* row = tables_.RowOf(vm);
  return row != nullptr && Load(row->children) > 0 && !survivors_.Of({vm.vm}).empty();
}

std::optional<VmmProcess> VmmSource::LivingVmm(VmId vm) const {
  for (const VmmProcess& process : vmms_.Of(vm)) {
    if (survivors_.Lives(process.pid, process.start_ticks)) return process;
  }
  return std::nullopt;
}

// Of the VMs of PROCESS, VM is the latest, and none is alive.
bool VmmSource::IsLastOf(const VmmProcess& process, VmId vm) const {
  const std::set<VmId>& vms = vmms_.VmsOf(process);
  return *vms.rbegin() == vm &&
         std::ranges::all_of(vms, [this](VmId each) { return ended_.contains(each); });
}

void VmmSource::Read(const Sampling& sampling, Reading* out) {
  VmRowSource::Read(sampling, out);
  network_acts_.Take(sampling.now, &out->observations);
  if (!ended_.empty()) LookAtEnded(sampling.now, &out->observations);
  LookAtChildren(sampling.now, &out->observations);
}

void VmmSource::LookAtEnded(KernelTime now, std::vector<Observation>* out) {
  static const FeatureId kSurvivor = FeatureNamed("vmm.survivor");
  if (now - looked_at_ < kNsPerSecond) return;
  looked_at_ = now;
  std::set<VmId> vms;
  for (const auto& [vm, ended] : ended_) vms.insert(vm);
  const auto survivors = survivors_.Of(vms);
  for (auto& [vm, ended] : ended_) {
    const auto of_vm = survivors.find(vm);
    const bool has_survivors = of_vm != survivors.end();
    const auto vmm = LivingVmm(vm);
    ended.lives_on = has_survivors || (vmm && IsLastOf(*vmm, vm));
    // What it has started may go on with it.
    const bool goes_on = vmm && !(has_survivors && Includes(of_vm->second, *vmm));
    if (goes_on || !ended.without_vmm) ended.without_vmm = now;
    if (!has_survivors || goes_on || now - *ended.without_vmm < kGraceNs) continue;
    ObserveProcesses(vm, kSurvivor, of_vm->second, now, out);
  }
}

// Each child is looked up in /proc, so not at every tick; and most VMs have none.
void VmmSource::LookAtChildren(KernelTime now, std::vector<Observation>* out) {
  if (now - looked_at_children_ < kChildrenNs) return;
  looked_at_children_ = now;
  std::set<VmId> with_children;
  for (const VmPlace& place : tables_.Places()) {
    const ks_vmm_vm_row* row = SlotOf(place.vm) ? tables_.RowOf(place) : nullptr;
    if (row != nullptr && Load(row->children) > 0) with_children.insert(place.vm);
  }
  std::erase_if(copies_, [&](const auto& of) { return !with_children.contains(of.first); });
  if (with_children.empty()) return;
  static const FeatureId kCopy = FeatureNamed("vmm.copy");
  for (const auto& [vm, children] : survivors_.Of(with_children)) {
    ObserveProcesses(vm, kCopy, copies_[vm].Take(now, children), now, out);
  }
}

void VmmSource::ReadRow(VmId vm, ks_vmm_vm_row& row, KernelTime now, Reading* out) {
  std::vector<Observation>& acts = out->observations;
  if (Load(row.changed) == 0) return;
  __atomic_store_n(&row.changed, 0, __ATOMIC_SEQ_CST);
  const auto keep = [&] {
    if (Keeps(acts.back())) acts.pop_back();
  };
  const auto observe = [&](FeatureId feature) {
    return [=, &acts](uint64_t member) {
      // As the records of the same sets have it.
      ObserveMember(vm, now, feature, Member{.first = member}, &acts);
      acts.back().value = member;
      keep();
    };
  };
  TakeBits(row.code, 0, observe(Bits().code));
  TakeBits(row.calls, 0, observe(Bits().call));
  TakeBits(row.sockets, 0, observe(Bits().socket));
  TakeBits(row.slots, 0, observe(Bits().slot));
  TakeBits(row.signals, 0, observe(Bits().signal));
  TakeAllBits(row.refused, observe(Bits().refused));
  TakeBits(row.unsent, 0, [&](uint64_t act) {
    if (act >= KS_ACTS) return;
    acts.push_back({.time = now,
                    .vm = vm,
                    .kind = ObservationKind::kMember,
                    .feature = FeatureOfAct(static_cast<ks_act>(act)),
                    .value = kUntoldMember});
    keep();
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
      {"orphan_act",
       "acts of processes of VMs that are followed no more: ended before this run, or beside too "
       "many others whose processes live on",
       Load(losses.orphan_act), false},
      {"early_file", "files that VMs' processes opened before the sensor knew the VM: not reported",
       Load(losses.early_file), false},
  };
}

}  // namespace kvmsentry
