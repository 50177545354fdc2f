#include "sensor/source/kvm/source.h"

#include <bit>
#include <utility>

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
  FeatureId exit_reason = FeatureNamed("userspace_exit.reason");
  FeatureId hypercall = FeatureNamed("hypercall.number");
  FeatureId protection = FeatureNamed("protection.lost");
  FeatureId rewritten = FeatureNamed("vcpu.rewritten");
  FeatureId overrun = FeatureNamed("device.overrun");
};

const SetFeatures& Sets() {
  static const SetFeatures sets;
  return sets;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KvmSource>> KvmSource::Open(const Probe& probe, SharedState& state) {
  KVMSENTRY_ASSIGN_OR_RETURN(KvmTables tables, KvmTables::Open(probe, state));
  std::unique_ptr<KvmSource> source(new KvmSource(std::move(tables)));
  source->losses_ = LossesThatMatter(*source);
  return source;
}

void KvmSource::Watch(const VmPlace& vm, std::span<const Limit> limits) {
  watched_[vm.vm].slot = vm.slot;
  tables_.SetLimits(vm.slot, limits);
}

void KvmSource::Describe(VmId vm, const VmFacts& facts, const DeviceList& devices) {
  const auto known = watched_.find(vm);
  if (known == watched_.end()) return;
  known->second.things = ThingsOf(facts, devices);
  Own(vm, known->second);
}

void KvmSource::Entitle(VmId vm, const Given& given) {
  const auto known = watched_.find(vm);
  if (known == watched_.end()) return;
  if (known->second.folders.empty()) known->second.folders = FoldersOf(given);
  TakeHelpers(given, &known->second.helpers);
  Own(vm, known->second);
}

void KvmSource::TakeHelpers(const Given& given, std::set<OwnedThing>* helpers) {
  std::erase_if(*helpers, [this](const OwnedThing& helper) {
    return !IsStill(processes_, static_cast<int32_t>(helper.id), helper.begin_ticks);
  });
  for (const OwnedThing& helper : HelpersOf(given)) {
    if (helpers->size() < kMaxOwnedHelpers) helpers->insert(helper);
  }
}

void KvmSource::Own(VmId vm, const Watched& watched) {
  std::vector<OwnedThing> all = watched.things;
  all.insert(all.end(), watched.folders.begin(), watched.folders.end());
  all.insert(all.end(), watched.helpers.begin(), watched.helpers.end());
  if (!tables_.Own({vm, watched.slot}, all).ok()) ++things_refused_;
}

void KvmSource::Unwatch(VmId vm) {
  const bool known = watched_.erase(vm) + vmms_.erase(vm) != 0;
  if (known) (void)tables_.Own({.vm = vm}, {});  // nothing is added
}

void KvmSource::End(const VmPlace& vm) {
  const std::optional<OwnedThing> vmm = VmmOf(vm.vm);
  Unwatch(vm.vm);
  tables_.Retire(vm.slot);
  if (!vmm) return;
  vmms_.emplace(vm.vm, *vmm);
  if (!tables_.Own(vm, {*vmm}).ok()) ++things_refused_;
}

// None where its beginning is not known: its number may be another process's one day.
std::optional<OwnedThing> KvmSource::VmmOf(VmId vm) const {
  if (const auto ended = vmms_.find(vm); ended != vmms_.end()) return ended->second;
  const auto known = watched_.find(vm);
  if (known == watched_.end()) return std::nullopt;
  for (const OwnedThing& thing : known->second.things) {
    if (thing.kind == KS_OWNER_PROCESS && thing.begin_ticks != 0) return thing;
  }
  return std::nullopt;
}

absl::Status KvmSource::Release(const VmPlace& vm) {
  watched_.erase(vm.vm);
  vmms_.erase(vm.vm);
  return tables_.Release(vm.slot);
}

void KvmSource::Read(const Sampling& sampling, std::vector<Observation>* out) {
  const uint64_t losses = LossesThatMatter(*this);
  const bool lossy = std::exchange(losses_, losses) != losses;
  const auto before = std::exchange(
      tally_, std::make_shared<const KvmTally>(ReadKvmCounts(tables_.vms(), tables_.vcpus())));
  tables_.CollectOwners();
  Compare(*before);
  const auto watched = [this](VmId vm) { return watched_.contains(vm); };
  for (const KvmCounts& counts : tally_->vms()) {
    if (!watched(counts.vm)) continue;
    ObserveCounts(sampling, counts.vm, counts.count, counts.last, lossy, out);
  }
  // What a VM did that was born since the inventory looked waits for the next tick.
  for (const KvmTables::Members& members : tables_.TakeMembers(watched)) {
    ObserveMembers(members, sampling.now, out);
  }
}

void KvmSource::Compare(const KvmTally& before) {
  for (const KvmCounts& counts : tally_->vms()) {
    const KvmCounts* earlier = before.Find({counts.vm, counts.slot});
    if (earlier == nullptr || !WentBack(earlier->count, counts.count)) continue;
    tampered_ = "a count in the map vcpus went back";
  }
}

void KvmSource::ObserveMembers(const KvmTables::Members& members, KernelTime now,
                               std::vector<Observation>* out) const {
  const auto observe = [&](FeatureId feature, uint64_t member) {
    ObserveMember(members.vm, now, feature, member, out);
  };
  const SetFeatures& sets = Sets();
  for (const uint16_t port : members.ports) observe(sets.port, port);
  for (const uint32_t msr : members.msrs_written) observe(sets.msr, msr);
  for (const uint32_t exit : members.exits) observe(sets.exit, exit);
  for (const uint64_t page : members.mmio_pages) observe(sets.page, page);
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
