#include "sensor/source/kvm/source.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sensor/base/load.h"
#include "sensor/feature/member_kind.h"
#include "sensor/source/catalogue.h"
#include "sensor/source/observe.h"

namespace kvmsentry {
namespace {

// The features of the sets in the kernel's tables.
struct SetFeatures {
  FeatureId port = FeatureNamed("pio.port");
  FeatureId msr = FeatureNamed("msr.written");
  FeatureId exit = FeatureNamed("exit.reason");
  FeatureId page = FeatureNamed("mmio.page");
  FeatureId ioctl = FeatureNamed("ioctl.command");
  FeatureId outside_port = FeatureNamed("pio.outside");
  FeatureId outside_page = FeatureNamed("mmio.outside");
  FeatureId exit_reason = FeatureNamed("userspace_exit.reason");
  FeatureId hypercall = FeatureNamed("hypercall.number");
  FeatureId protection = FeatureNamed("protection.lost");
  FeatureId rewritten = FeatureNamed("vcpu.rewritten");
  FeatureId overrun = FeatureNamed("device.overrun");
  FeatureId panic = FeatureNamed("guest.panic");
  FeatureId nesting = FeatureNamed("nesting.outside");
};

const SetFeatures& Sets() {
  static const SetFeatures sets;
  return sets;
}

// "an access of 4 bytes", "an access of 2 bytes, 256 by one instruction".
std::string AccessText(const KvmTables::Access& access) {
  if (access.size == 0) return "";
  return absl::StrCat(
      "an access of ", access.size, access.size == 1 ? " byte" : " bytes",
      access.count > 1 ? absl::StrCat(", ", access.count, " by one instruction") : "");
}

// nullopt where its beginning is not known: its number may be another process's one day.
std::optional<OwnedThing> VmmAmong(const std::vector<OwnedThing>& things) {
  const auto is_known = [](const OwnedThing& thing) {
    return thing.kind == KS_OWNER_PROCESS && thing.incarnation != 0;
  };
  const auto vmm = std::ranges::find_if(things, is_known);
  return vmm == things.end() ? std::nullopt : std::optional(*vmm);
}

}  // namespace

absl::StatusOr<std::unique_ptr<KvmSource>> KvmSource::Open(const Probe& probe, SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(KvmTables tables, KvmTables::Open(probe, state));
  return std::unique_ptr<KvmSource>(new KvmSource(std::move(tables)));
}

void KvmSource::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  watched_[vm.vm].slot = vm.slot;
  tables_.SetLimits(vm.slot, limits);
}

void KvmSource::Describe(VmId vm, const VmFacts& facts, const DeviceList& devices) {
  const auto found = watched_.find(vm);
  if (found == watched_.end()) return;
  Watched& known = found->second;
  known.things = ThingsOf(facts, devices);
  if (known.vmm && !IsAlive(*known.vmm)) known.vmm.reset();
  if (!known.vmm) known.vmm = VmmAmong(known.things);
  Own(vm, known);
}

void KvmSource::Entitle(VmId vm, const Given& given) {
  const auto known = watched_.find(vm);
  if (known == watched_.end()) return;
  if (known->second.folders.empty()) known->second.folders = FoldersOf(given);
  TakeHelpers(given, &known->second.helpers);
  known->second.shared = SharedDisksOf(given);
  known->second.windows = Windows::Of(given);
  nesting_.Allow(vm, MayNest(given));
  Own(vm, known->second);
}

void KvmSource::TakeHelpers(const Given& given, std::set<OwnedThing>* helpers) {
  std::erase_if(*helpers, [this](const OwnedThing& helper) { return !IsAlive(helper); });
  for (const OwnedThing& helper : HelpersOf(given)) {
    if (helpers->size() < kMaxOwnedHelpers) helpers->insert(helper);
  }
}

void KvmSource::Own(VmId vm, const Watched& watched) {
  std::vector<OwnedThing> all = watched.things;
  all.insert(all.end(), watched.folders.begin(), watched.folders.end());
  all.insert(all.end(), watched.helpers.begin(), watched.helpers.end());
  if (watched.vmm) all.push_back(*watched.vmm);
  MarkShared(watched.shared, &all);
  Own({vm, watched.slot}, all);
}

void KvmSource::Own(const VmPlace& vm, const std::vector<OwnedThing>& things) {
  if (!tables_.Own(vm, things).ok()) ++things_refused_;
}

void KvmSource::Unwatch(VmId vm) {
  nesting_.Forget(vm);
  if (watched_.erase(vm) + ended_.erase(vm) != 0) Own({.vm = vm}, {});
}

void KvmSource::End(const VmPlace& vm) {
  if (const auto known = watched_.find(vm.vm); known != watched_.end()) {
    Ended ended{vm.slot, {}};
    if (known->second.vmm) ended.vmms.push_back(*known->second.vmm);
    if (const auto latest = VmmAmong(known->second.things)) ended.vmms.push_back(*latest);
    ended_.try_emplace(vm.vm, std::move(ended));
    watched_.erase(known);
  }
  // Before its address space is forgotten: its VMM is never nobody's.
  if (const auto ended = ended_.find(vm.vm); ended != ended_.end()) Own(vm, ended->second.vmms);
  tables_.Retire(vm.slot);
}

// Their numbers may be other processes' by and by.
void KvmSource::DropDeadVmms(KernelTime now) {
  if (now - vmms_seen_ < kNsPerSecond) return;
  vmms_seen_ = now;
  for (auto& [vm, ended] : ended_) {
    if (std::erase_if(ended.vmms, [this](const OwnedThing& vmm) { return !IsAlive(vmm); }) != 0) {
      Own({vm, ended.slot}, ended.vmms);
    }
  }
}

bool KvmSource::IsAlive(const OwnedThing& process) {
  return IsStill(processes_, static_cast<int32_t>(process.id), process.incarnation);
}

absl::Status KvmSource::Release(const VmPlace& vm) {
  Unwatch(vm.vm);
  return tables_.Release(vm.slot);
}

void KvmSource::Read(const Sampling& sampling, Reading* out) {
  const auto before =
      std::exchange(tally_, std::make_shared<const KvmTally>(ReadKvmCounts(
                                tables_.vms(), tables_.vcpus(), tally_->vms().size() + 1)));
  tables_.CollectOwners();
  DropDeadVmms(sampling.now);
  Compare(*before);
  const auto watched = [this](VmId vm) { return watched_.contains(vm); };
  for (const KvmCounts& counts : tally_->vms()) {
    if (!watched(counts.vm)) continue;
    ObserveCounts(sampling, counts.vm, counts.count, counts.last, &out->counts);
  }
  // What a VM did that was born since the inventory looked waits for the next tick.
  for (const KvmTables::Members& members : tables_.TakeMembers(watched)) {
    ObserveMembers(members, &out->sightings);
    ObserveOutside(members, sampling.now, &out->observations);
    for (const uint32_t exit : members.exits) nesting_.Record(members.vm, exit, sampling.now);
  }
  for (const auto& [vm, exit] : nesting_.Drain(sampling.now)) {
    out->sightings.push_back({vm, Sets().nesting, exit});
  }
  tables_.GiveLimitsBack();
}

void KvmSource::Compare(const KvmTally& before) {
  for (const KvmCounts& counts : tally_->vms()) {
    const KvmCounts* earlier = before.Find({counts.vm, counts.slot});
    if (earlier == nullptr || !WentBack(earlier->count, counts.count)) continue;
    tampered_ = "a count in the map vcpus went back";
  }
}

void KvmSource::ObserveMembers(const KvmTables::Members& members, std::vector<Sighting>* out) {
  const auto observe = [&](FeatureId feature, uint64_t member) {
    out->push_back({members.vm, feature, member});
  };
  const SetFeatures& sets = Sets();
  for (const KvmTables::Access& port : members.ports) observe(sets.port, port.place);
  for (const uint32_t msr : members.msrs_written) observe(sets.msr, msr);
  for (const uint32_t exit : members.exits) observe(sets.exit, exit);
  for (const KvmTables::Access& page : members.mmio_pages) observe(sets.page, page.place);
  for (const uint32_t ioctl : members.ioctls) observe(sets.ioctl, ioctl);
  if (members.mmio_overflow != 0) observe(sets.page, kUntoldMember);
  if (members.msr_overflow != 0) observe(sets.msr, kUntoldMember);
  const auto observe_bits = [&](FeatureId feature, uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      observe(feature, static_cast<uint64_t>(std::countr_zero(bits)));
    }
  };
  observe_bits(sets.exit_reason, members.exit_reasons);
  observe_bits(sets.hypercall, members.hypercalls);
  observe_bits(sets.protection, members.protection_lost);
  observe_bits(sets.rewritten, members.rewritten);
  observe_bits(sets.overrun, members.overrun);
  observe_bits(sets.panic, members.panicked);
}

// Of what does not lie in the windows of the VM's devices.
void KvmSource::ObserveOutside(const KvmTables::Members& members, KernelTime now,
                               std::vector<Observation>* out) const {
  const auto vm = watched_.find(members.vm);
  if (vm == watched_.end() || !vm->second.windows) return;
  const Windows& windows = *vm->second.windows;
  const SetFeatures& sets = Sets();
  const auto observe = [&](FeatureId feature, const KvmTables::Access& access) {
    ObserveMember(members.vm, now, feature, {.first = access.place, .how = AccessText(access)},
                  out);
  };
  for (const KvmTables::Access& port : members.ports) {
    if (!windows.HavePort(port.place)) observe(sets.outside_port, port);
  }
  for (const KvmTables::Access& page : members.mmio_pages) {
    if (!windows.HavePage(page.place)) observe(sets.outside_page, page);
  }
  // Pages that found no room may be devices': mmio.page reports them.
}

void KvmSource::TakeUntold(std::vector<Observation>* out) {
  ObserveUntold(tables_.TakeUntold(), out);
}

std::vector<Loss> KvmSource::Losses() const { return DescribeLosses(tables_.losses()); }

std::vector<Loss> DescribeLosses(const ks_kvm_losses& losses) {
  return {
      {"ring_full", "records that found no room in the ring: reported late, by the next tick",
       Load(losses.ring_full), true},
      {"table_update", "failed updates of the kernel's tables of VMs, vCPUs and virtqueues",
       Load(losses.table_update), true},
      {"row_lookup", "slots that led to no row of a table", Load(losses.row_lookup), true},
      {"missed_return", "calls whose return no kretprobe saw: not counted",
       Load(losses.missed_return), true},
      // Of a VM without a slot, which says nothing of others.
      {"no_vm_slot", "meetings with a VM beyond --max-vms, which is not watched",
       Load(losses.no_vm_slot), false},
      {"no_vcpu_slot", "meetings with a vCPU beyond --max-vcpus, which is not counted",
       Load(losses.no_vcpu_slot), true},
      {"unattributed", "occurrences that no vCPU could be named for: counted for no VM",
       Load(losses.unattributed), true},
      {"over_budget", "births not reported at once in a flood of them: found at the next tick",
       Load(losses.over_budget), false},
      // Which this kernel never lets attribute, and coverage says.
      {"irq_unattributed", "interrupts by eventfds and workers, where kvm_set_irq cannot be probed",
       Load(losses.irq_unattributed), false},
  };
}

}  // namespace kvmsentry
