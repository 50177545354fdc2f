#include "sensor/daemon/pipeline.h"

#include <algorithm>
#include <span>
#include <thread>
#include <utility>
#include <variant>

#include "spdlog/spdlog.h"

#include "sensor/base/load.h"
#include "sensor/source/decode.h"

namespace kvmsentry {
namespace {

constexpr int64_t kModulesSettleNs = 500 * kNsPerMs;

// How long nobody watched: from the last heartbeat of an earlier run to now.
int64_t UnobservedNs(const Sources& sources, KernelTime now) {
  // 0 in maps that were just made.
  const auto beat = static_cast<int64_t>(Load(sources.state().row().heartbeat_ns));
  return beat != 0 && beat < now.ns ? now.ns - beat : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pipeline>> Pipeline::Start(
    const PipelineOptions& options, std::shared_ptr<const SpecLibrary> library, const Clock& clock,
    Hub& hub) {
  // Before the probe, so that no birth or death between the two goes unheard.
  KVMSENTRY_ASSIGN_OR_RETURN(UeventSocket uevents, UeventSocket::Open());
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Sources> sources, Sources::Open(options.probe));
  for (const std::string& removed : sources->probe().recreated()) {
    spdlog::warn("{}: maps were removed, and their counts start at zero: {}",
                 options.probe.pin_root, removed);
  }
  std::unique_ptr<Pipeline> pipeline(new Pipeline(options, std::move(library), clock, hub,
                                                  std::move(sources), std::move(uevents)));
  pipeline->OnTick();
  return pipeline;
}

Pipeline::Pipeline(const PipelineOptions& options, std::shared_ptr<const SpecLibrary> library,
                   const Clock& clock, Hub& hub, std::unique_ptr<Sources> sources,
                   UeventSocket uevents)
    : options_(options),
      library_(library),
      clock_(clock),
      hub_(hub),
      started_at_(clock.WallNow()),
      unobserved_ns_(UnobservedNs(*sources, clock.Now())),
      sources_(std::move(sources)),
      uevents_(std::move(uevents)),
      inventory_(&processes_),
      engine_(std::move(library), options.engine),
      active_(ObservableFeatures(sources_->probe().coverage())),
      cost_meter_(std::max(1U, std::thread::hardware_concurrency())),
      cost_guard_(options.cost_budget),
      losses_(sources_->LossesThatMatter()) {}

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
  sources_->state().Beat(static_cast<uint64_t>(now.ns));
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
  const bool lossy = sources_->LossesThatMatter() != losses_;
  const auto observe = [&](Observation crossed) {
    recorded_at_ = std::max(recorded_at_, crossed.time);
    crossed.lossy = lossy;
    crossed.serial = ++serial_;
    engine_.Observe(crossed);
  };
  const auto take = [&](std::span<const std::byte> bytes) {
    absl::StatusOr<Record> record = Decode(bytes);
    if (!record.ok()) {
      if (bad_records_++ == 0) spdlog::error("{}", std::string(record.status().message()));
    } else if (std::holds_alternative<VmBorn>(*record)) {
      born_ = true;
    } else if (const auto* canary = std::get_if<Canary>(&*record)) {
      canary_.Returned(canary->number);
    } else {
      observe(std::get<Observation>(*record));
    }
  };
  sources_->probe().DrainRing(take);
  std::vector<Observation> untold;
  for (const std::unique_ptr<Source>& source : sources_->all()) source->TakeUntold(&untold);
  for (const Observation& crossed : untold) observe(crossed);
}

void Pipeline::SyncInventory() {
  std::vector<ks_open_file> files;
  const std::optional<Walk> walk = MakeWalk(&files);
  const std::vector<ks_vm_row> rows = sources_->kvm().tables().CopyVms();
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
    const ks_vm_row& row = sources_->kvm().tables().vms()[vm.slot];
    watched.first_seen = WallAt({static_cast<int64_t>(Load(row.first_ns))});
    spdlog::info("watching VM {} (pid {}, {})", vm.facts.name, vm.facts.pid, vm.facts.vmm);
  }
  watched.entry = vm;
  engine_.UpsertVm(vm.facts, now);
  sources_->Watch({vm.facts.id, vm.slot}, library_->LimitsFor(vm.facts));
  const OwnedThing process{KS_OWNER_PROCESS, static_cast<uint64_t>(vm.facts.pid)};
  const absl::Status owned = sources_->kvm().tables().Own({vm.facts.id, vm.slot}, {process});
  if (!owned.ok()) spdlog::warn("{}", std::string(owned.message()));
}

void Pipeline::Vanish(const VmGone& gone, KernelTime now) {
  if (const auto vm = vms_.find(gone.id); vm != vms_.end()) {
    spdlog::info("VM {} is gone", vm->second.entry.facts.name);
    engine_.RemoveVm(gone.id, now);
    vms_.erase(vm);
  }
  if (gone.reason == GoneReason::kRowLost) {
    sources_->Unwatch(gone.id);
    Tampered("a row of the map vms was emptied", now);
    return;
  }
  const absl::Status released = sources_->Release({gone.id, gone.slot});
  if (absl::IsDataLoss(released)) {
    Tampered(released.message(), now);
  } else if (!released.ok()) {
    spdlog::error("{}", std::string(released.message()));
  }
}

void Pipeline::Sample(KernelTime now) {
  if (std::exchange(sampled_at_, now) == now) return;
  losses_ = sources_->LossesThatMatter();
  std::vector<Observation> observations;
  for (const std::unique_ptr<Source>& source : sources_->all()) {
    source->Read(now, active_, &observations);
  }
  const std::vector<KvmCounts>& counts = sources_->kvm().counts();
  if (std::exchange(attached_, false)) silence_.Begin(counts);
  silence_.Observe(counts);
  for (Observation& observation : observations) {
    observation.serial = ++serial_;
    engine_.Observe(observation);
  }
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
  const auto [opened, is_new] =
      opened_.try_emplace({event.vm.id, event.spec_id}, WallAt(event.opened_at));
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
