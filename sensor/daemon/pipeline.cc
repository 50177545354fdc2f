#include "sensor/daemon/pipeline.h"

#include <algorithm>
#include <bit>
#include <span>
#include <thread>
#include <utility>
#include <variant>

#include "spdlog/spdlog.h"

#include "sensor/base/load.h"
#include "sensor/record/decode.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr int64_t kModulesSettleNs = 500 * kNsPerMs;

// How long nobody watched: from the last heartbeat of an earlier run to now.
int64_t UnobservedNs(const Probe& probe, KernelTime now) {
  const auto beat = static_cast<int64_t>(Load(probe.tables().state().heartbeat_ns));
  return probe.pins() == Pins::kKept && beat != 0 && beat < now.ns ? now.ns - beat : 0;
}

// The features of the sets in the kernel's tables.
struct SetFeatures {
  FeatureId port = FeatureNamed("pio.port");
  FeatureId msr = FeatureNamed("msr.written");
  FeatureId exit = FeatureNamed("exit.reason");
  FeatureId page = FeatureNamed("mmio.page");
  FeatureId ioctl = FeatureNamed("ioctl.command");
  FeatureId vhost_ioctl = FeatureNamed("vhost.config.command");
  FeatureId vfio_ioctl = FeatureNamed("vfio.ioctl.command");
  FeatureId exit_reason = FeatureNamed("userspace_exit.reason");
  FeatureId hypercall = FeatureNamed("hypercall.number");
};

const SetFeatures& Sets() {
  static const SetFeatures sets;
  return sets;
}

// Of KS_IOCTL_MEMBER, the feature and its member there.
std::pair<FeatureId, uint64_t> IoctlMember(uint32_t ioctl) {
  const SetFeatures& sets = Sets();
  constexpr uint32_t kKind = 256;
  if (ioctl < KS_IOCTL_VHOST * kKind) return {sets.ioctl, ioctl};
  if (ioctl < KS_IOCTL_VFIO * kKind) {
    return {sets.vhost_ioctl, ioctl - KS_IOCTL_VHOST * kKind};
  }
  return {sets.vfio_ioctl, ioctl - KS_IOCTL_VFIO * kKind};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Start(
    const PipelineOptions& options, std::shared_ptr<const SpecLibrary> library, const Clock& clock,
    Hub& hub) {
  // Before the probe, so that no birth or death between the two goes unheard.
  KVMSENTRY_ASSIGN_OR_RETURN(UeventSocket uevents, UeventSocket::Open());
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Probe> probe, Probe::Load(options.probe));
  if (probe->pins() == Pins::kRecreated) {
    spdlog::warn("{}: maps of another layout or size were removed: all counts start at zero",
                 options.probe.pin_root);
  }
  std::unique_ptr<Pipeline> pipeline(
      new Pipeline(options, std::move(library), clock, hub, std::move(probe), std::move(uevents)));
  pipeline->OnTick();
  return pipeline;
}

Pipeline::Pipeline(const PipelineOptions& options, std::shared_ptr<const SpecLibrary> library,
                   const Clock& clock, Hub& hub, std::unique_ptr<Probe> probe, UeventSocket uevents)
    : options_(options),
      library_(library),
      clock_(clock),
      hub_(hub),
      started_at_(clock.WallNow()),
      unobserved_ns_(UnobservedNs(*probe, clock.Now())),
      probe_(std::move(probe)),
      uevents_(std::move(uevents)),
      inventory_(&processes_),
      engine_(std::move(library), options.engine),
      active_(ObservableFeatures(probe_->coverage())),
      cost_meter_(std::max(1U, std::thread::hardware_concurrency())),
      cost_guard_(options.cost_budget),
      losses_(LossesThatMatter(probe_->tables().losses())) {}

void Pipeline::OnWake() {
  const std::lock_guard lock(mutex_);
  TakeUevents();
  TakeRecords();
  // No further than the latest record: others, of other processors, may be on their way.
  Raise(std::min(recorded_at_, clock_.Now()));
}

void Pipeline::OnTick() {
  const std::lock_guard lock(mutex_);
  TakeUevents();
  AttachMissing();
  SyncInventory();
  TakeRecords();
  // Only now: a walk takes its time, and counts must carry the time at which they were read.
  const KernelTime now = clock_.Now();
  Sample(now);
  LookAtSelf(now);
  WatchCost(now);
  DrainRing();  // again: what was on its way at that time has come by now, and is not late
  Raise(now);
  probe_->tables().Beat(static_cast<uint64_t>(now.ns));
  if (born_) TakeRecords();
}

void Pipeline::TakeUevents() {
  const absl::StatusOr<UeventBatch> batch = uevents_.Read();
  if (!batch.ok()) {
    inventory_.OnUeventsLost();
    if (std::exchange(uevents_ok_, false)) {
      spdlog::error("deaths of VMs are noticed late: {}", std::string(batch.status().message()));
    }
    return;
  }
  uevents_ok_ = true;
  if (batch->overrun) inventory_.OnUeventsLost();
  for (const KvmUevent& event : batch->events) inventory_.OnUevent(event);
  // Modules come in company, and the best variant may be offered by the last of them only.
  if ((batch->overrun || batch->module_loaded) && !attach_at_) {
    attach_at_ = clock_.Now() + kModulesSettleNs;
  }
  if (batch->overrun || !batch->events.empty()) walks_.Request(clock_.Now());
}

void Pipeline::TakeRecords() {
  DrainRing();
  if (!std::exchange(born_, false)) return;
  walks_.Request(clock_.Now());
  SyncInventory();
}

// Judged with the next Raise: until then a VM becomes known, if it is not yet.
void Pipeline::DrainRing() {
  // What is lost since the last tick the next one will tell; an alert raised before it says so too.
  const bool lossy = LossesThatMatter(probe_->tables().losses()) != losses_;
  const auto take = [&](std::span<const std::byte> bytes) {
    absl::StatusOr<Record> record = Decode(bytes);
    if (!record.ok()) {
      if (bad_records_++ == 0) spdlog::error("{}", std::string(record.status().message()));
    } else if (std::holds_alternative<VmBorn>(*record)) {
      born_ = true;
    } else if (const auto* canary = std::get_if<Canary>(&*record)) {
      canary_.Returned(canary->number);
    } else {
      Observation crossed = std::get<Observation>(*record);
      recorded_at_ = std::max(recorded_at_, crossed.time);
      crossed.lossy = lossy;
      crossed.serial = ++serial_;
      engine_.Observe(crossed);
    }
  };
  probe_->DrainRing(take);
  for (const ks_limit_crossed& untold : probe_->tables().TakeUntold()) {
    take(std::as_bytes(std::span(&untold, 1)));
  }
}

void Pipeline::SyncInventory() {
  std::vector<ks_open_file> files;
  const std::optional<Walk> walk = MakeWalk(&files);
  const std::span<const ks_vm_row> table = probe_->tables().vms();
  const std::vector<ks_vm_row> rows(table.begin(), table.end());
  const KernelTime now = clock_.Now();
  const InventoryChanges changes = inventory_.Sync(rows, walk ? &*walk : nullptr, now);
  if (walk && inventory_.hidden() != 0) walks_.Doubt();
  for (const VmEntry& vm : changes.appeared) Appear(vm, now);
  if (!changes.gone.empty()) {
    // What they did last, or in all their short life, is judged before they are forgotten.
    Sample(now);
    DrainRing();
    Raise(now);
  }
  for (const VmGone& gone : changes.gone) Vanish(gone, now);
  for (const VmEntry& vm : changes.changed) Appear(vm, now);
}

void Pipeline::Appear(const VmEntry& vm, KernelTime now) {
  Watched& watched = vms_[vm.facts.id];
  if (watched.entry.facts.id.serial == 0) {
    const ks_vm_row& row = probe_->tables().vms()[vm.slot];
    watched.first_seen = WallAt({static_cast<int64_t>(row.first_ns)});
    spdlog::info("watching VM {} (pid {}, {})", vm.facts.name, vm.facts.pid, vm.facts.vmm);
  }
  watched.entry = vm;
  engine_.UpsertVm(vm.facts, now);
  probe_->tables().SetLimits(vm.slot, library_->LimitsFor(vm.facts));
}

void Pipeline::Vanish(const VmGone& gone, KernelTime now) {
  if (const auto vm = vms_.find(gone.id); vm != vms_.end()) {
    spdlog::info("VM {} is gone", vm->second.entry.facts.name);
    engine_.RemoveVm(gone.id, now);
    vms_.erase(vm);
  }
  if (gone.reason == GoneReason::kRowLost) {
    Tampered("a row of the map vms was emptied", now);
    return;
  }
  if (WasForgotten(gone.slot)) {
    Tampered("the map vm_slots lost an entry, and a VM was taken for new", now);
  }
  if (const absl::Status released = probe_->tables().Release(gone.slot); !released.ok()) {
    spdlog::error("{}", std::string(released.message()));
  }
}

void Pipeline::Sample(KernelTime now) {
  if (std::exchange(sampled_at_, now) == now) return;
  const uint64_t losses = LossesThatMatter(probe_->tables().losses());
  const bool lossy = std::exchange(losses_, losses) != losses;
  probe_->tables().FoldQueues();
  const std::vector<VmCounts> before = std::exchange(counts_, {});
  counts_ = ReadCounts(probe_->tables().vms(), probe_->tables().vcpus(), probe_->tables().queues());
  CompareCounts(before, now);
  if (std::exchange(attached_, false)) silence_.Begin(counts_);
  silence_.Observe(counts_);
  std::vector<Observation> observations;
  for (const VmCounts& counts : counts_) {
    if (!vms_.contains(counts.vm)) continue;
    AppendObservations(counts, now, active_, lossy, observations);
  }
  // What a VM did that was born since the inventory looked waits for the next tick.
  const auto known = [this](VmId vm) { return vms_.contains(vm); };
  for (const Tables::Members& members : probe_->tables().TakeMembers(known)) {
    ObserveMembers(members, now);
  }
  for (Observation& observation : observations) {
    observation.serial = ++serial_;
    engine_.Observe(observation);
  }
}

void Pipeline::ObserveMembers(const Tables::Members& members, KernelTime now) {
  const auto observe = [&](FeatureId feature, uint64_t member) {
    engine_.Observe({.time = now,
                     .vm = members.vm,
                     .kind = ObservationKind::kMember,
                     .feature = feature,
                     .serial = ++serial_,
                     .value = member,
                     .window_ns = 0,
                     .detail = member});
  };
  const SetFeatures& sets = Sets();
  for (const uint16_t port : members.ports) observe(sets.port, port);
  for (const uint32_t msr : members.msrs_written) observe(sets.msr, msr);
  for (const uint32_t exit : members.exits) observe(sets.exit, exit);
  for (const uint64_t page : members.mmio_pages) observe(sets.page, page);
  for (const uint32_t ioctl : members.ioctls) {
    const auto [feature, member] = IoctlMember(ioctl);
    observe(feature, member);
  }
  if (members.mmio_overflow != 0) observe(sets.page, kUntoldMember);
  if (members.msr_overflow != 0) observe(sets.msr, kUntoldMember);
  const auto observe_bits = [&](FeatureId feature, uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      observe(feature, static_cast<uint64_t>(std::countr_zero(bits)));
    }
  };
  observe_bits(sets.exit_reason, members.exit_reasons);
  observe_bits(sets.hypercall, members.hypercalls);
}

// Both clocks are read at once: NOW of a tick is older by what was done since.
absl::Time Pipeline::WallAt(KernelTime time) const {
  return clock_.WallNow() - absl::Nanoseconds(clock_.Now() - time);
}

void Pipeline::Raise(KernelTime now) {
  for (AlertEvent& event : engine_.Tick(now)) Publish(std::move(event));
  for (AlertEvent& event : self_.Take()) {
    spdlog::error("{}", event.summary);
    Publish(std::move(event));
  }
}

void Pipeline::Publish(AlertEvent event) {
  const auto [opened, is_new] = opened_.try_emplace(
      {event.vm.id, absl::StrCat(event.spec_id, "/", event.part)}, WallAt(event.opened_at));
  JournaledAlert alert;
  alert.opened_at = opened->second;
  alert.at = event.at == event.opened_at ? alert.opened_at : WallAt(event.at);
  if (event.state == AlertState::kCleared) opened_.erase(opened);
  alert.host = options_.host;
  alert.event = std::move(event);
  if (const auto published = hub_.Publish(std::move(alert)); !published.ok()) {
    spdlog::error("an alert could not be kept: {}", std::string(published.status().message()));
  }
}

}  // namespace kvmsentry
