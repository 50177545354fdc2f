#include "sensor/daemon/sensor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "spdlog/spdlog.h"

#include "sensor/base/load.h"
#include "sensor/daemon/losses.h"

namespace kvmsentry {

absl::StatusOr<std::unique_ptr<Sensor>> Sensor::Start(const SensorOptions& options,
                                                      std::unique_ptr<Loader> loader,
                                                      const LoadedLibrary& library,
                                                      const CanaryActs& acts, const Clock& clock,
                                                      Hub& hub, Pulse& pulse) {
  const KernelTime began = clock.Now();
  // Before the probe, so that no birth or death between the two goes unheard.
  KVMSENTRY_ASSIGN_OR_RETURN(UeventSocket uevents, UeventSocket::Open());
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Sources> sources,
                             Sources::Open(options.probe, std::move(loader)));
  for (const std::string& removed : sources->probe().recreated()) {
    spdlog::warn("{}: maps of an earlier run were removed, and their counts start at zero: {}",
                 options.probe.pin_root, removed);
  }
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Worker> names, Worker::Make(clock));
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<Worker> housekeeping, Worker::Make(clock));
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<SpecKeeper> specs,
                             SpecKeeper::Make(options.specs, library, clock));
  std::unique_ptr<Sensor> sensor(new Sensor(options, library, acts, clock, hub, pulse,
                                            {.sources = std::move(sources),
                                             .uevents = std::move(uevents),
                                             .names = std::move(names),
                                             .housekeeping = std::move(housekeeping),
                                             .specs = std::move(specs),
                                             .began = began}));
  sensor->ProveHooks();
  sensor->host_.WalkNow();
  sensor->OnTick();
  return sensor;
}

Sensor::Sensor(const SensorOptions& options, const LoadedLibrary& library, const CanaryActs& acts,
               const Clock& clock, Hub& hub, Pulse& pulse, Parts parts)
    : library_(library.library),
      clock_(clock),
      hub_(hub),
      pulse_(pulse),
      sources_(std::move(parts.sources)),
      began_(parts.began),
      base_status_(BaseStatus(options)),
      engine_(library_, options.engine),
      publisher_(options.host, clock, hub, options.silenced_by),
      outlet_problem_(options.outlet_problem),
      coverage_(library_),
      observer_(*sources_, engine_, self_),
      snapshots_([&kvm = std::as_const(sources_->kvm())] { return kvm.tables().ReadExits(); }),
      proof_(*sources_, acts, parts.began),
      host_(
          sources_->probe(), std::move(parts.uevents), std::move(parts.names), clock,
          [this] { Look(); },
          [this](VmId vm, Slot slot) {
            return sources_->vmm().LivesOn({vm, slot});
          }),
      keeper_(*sources_, host_, coverage_, self_, proof_, clock, options.cost_budget,
              std::move(parts.housekeeping)),
      specs_(std::move(parts.specs)) {
  Losses();  // what was lost until now is not recent
}

// The canary VM is not one of the host's: its row is released before anybody looks.
void Sensor::ProveHooks() {
  proof_.Run();
  proof_.ReleaseRow();
  coverage_.Take(sources_->probe().coverage(), /*more=*/true);
}

// State of every spec that did not change is kept; the kernel gets the limits that it watches
// itself.
void Sensor::Use(std::shared_ptr<const SpecLibrary> library) {
  const Pulse::Step step(pulse_, clock_, "exchanging the spec library");
  library_ = std::move(library);
  engine_.SetLibrary(library_);
  coverage_.SetLibrary(library_);
  for (const auto& [id, record] : registry_.records()) {
    observer_.Forget(id);  // a spec that is new to it needs counts and states that rest, too
    WatchSources(record->entry);
  }
}

std::string Sensor::Busy() const {
  const std::optional<Worker::Running> job = LongerOf(keeper_.LongestJob(), specs_->running());
  if (!job) return "programs of hooks have not been detached";
  return absl::StrCat("a worker's job has not ended: ", job->what);
}

void Sensor::OnWake() {
  const Pulse::Step step(pulse_, clock_, "handling records and uevents");
  host_.TakeUevents();
  host_.FinishNames();
  TakeRecords();
  keeper_.OnWake();
  host_.AskNames();
  // No further than the latest record: others, of other processors, may be on their way.
  Raise(std::min(observer_.recorded_at(), clock_.Now()));
}

void Sensor::OnTick(uint64_t late) {
  const Pulse::Step step(pulse_, clock_, "ticking");
  late_ticks_ += late;
  host_.TakeUevents();
  host_.FinishNames();
  keeper_.OnTick(clock_.Now(), specs_->running());
  if (auto library = specs_->OnTick(clock_.Now())) Use(std::move(library));
  if (LookIsDue(clock_.Now())) Look();
  TakeRecords();
  // Only now: counts must carry the time at which they were read.
  const KernelTime now = clock_.Now();
  Sample(now);
  LookAtSelf(now);
  observer_.Drain();  // again: what was on its way at that time has come by now, and is not late
  Raise(now);
  sources_->state().Beat(static_cast<uint64_t>(now.ns));
  TakeRecords();
  host_.AskNames();
  if (const uint64_t more = log_quota_.TakeLeftOut(now); more != 0) {
    spdlog::info("and {} more VMs came or went", more);
  }
  PostSnapshot();
  specs_->TellDone();
  pulse_.Tick(clock_, hub_.journal().appended());
}

// A birth that a record tells is looked at at once.
void Sensor::TakeRecords() {
  observer_.Drain();
  if (!observer_.TakeBorn()) return;
  host_.RequestWalk();
  Look();
  host_.AskNames();
}

// Births and deaths announce themselves. What does not, such as a row that somebody has emptied,
// may wait: a look compares all rows.
bool Sensor::LookIsDue(KernelTime now) const {
  return births_ != Load(sources_->state().row().owners_made) ||
         uevents_seen_ != host_.uevents_seen() || now - looked_at_ >= 2 * kNsPerSecond;
}

void Sensor::Look() {
  const Pulse::Step step(pulse_, clock_, "looking at the VM table");
  looked_at_ = clock_.Now();
  births_ = Load(sources_->state().row().owners_made);
  uevents_seen_ = host_.uevents_seen();
  std::vector<ks_vm_row> rows = sources_->kvm().tables().CopyVms();
  std::erase_if(rows, [this](const ks_vm_row& row) { return proof_.IsCanarys(row); });
  const InventoryChanges changes = host_.Look(rows);
  const KernelTime now = clock_.Now();
  for (const VmEntry& vm : changes.appeared) Appear(vm, now);
  if (!changes.gone.empty() || !changes.exited.empty()) {
    // What they did last, or in all their short life, is judged before they are forgotten.
    Sample(now);
    observer_.Drain();
    Raise(now);
  }
  for (const VmGone& gone : changes.gone) Vanish(gone, now);
  // Until its row was released a VM may have passed a limit: read before the Tick that drops it.
  if (!changes.gone.empty()) observer_.Drain();
  for (const VmGone& gone : changes.gone) observer_.members().Remove(gone.id);
  for (const VmEntry& vm : changes.changed) Appear(vm, now);
  for (const VmEntry& vm : changes.exited) Exit(vm, now);
  if (std::exchange(walks_seen_, host_.walks_seen()) != host_.walks_seen()) {
    for (const VmId changed : registry_.TakeDevices(host_.inventory())) {
      Describe(*registry_.Find(changed));
    }
    TakeGiven(now);
  }
}

void Sensor::Appear(VmEntry vm, KernelTime now) {
  if (const VmRecord* known = registry_.Find(vm.facts.id)) {
    vm.facts.vcpus = known->entry.facts.vcpus;  // the inventory does not count them
  } else if (log_quota_.Admit(now)) {
    spdlog::info("watching VM {} (pid {}, {})", vm.facts.name, vm.facts.pid, vm.facts.vmm);
  }
  Watch(vm, now);
}

void Sensor::Watch(const VmEntry& vm, KernelTime now) {
  const ks_vm_row& row = sources_->kvm().tables().vms()[vm.slot];
  const KernelTime first{static_cast<int64_t>(Load(row.first_ns))};
  registry_.Put({.entry = vm, .first_seen = WallAt(clock_, first), .born_here = first >= began_});
  engine_.UpsertVm(vm.facts, now);
  observer_.Forget(vm.facts.id);
  WatchSources(vm);
  Describe(*registry_.Find(vm.facts.id));
}

void Sensor::WatchSources(const VmEntry& vm) {
  const VmPlace place{vm.facts.id, vm.slot};
  sources_->Watch(place, library_->LimitsFor(vm.facts));
  if (vm.exited) sources_->End(place);
}

void Sensor::Describe(const VmRecord& vm) {
  sources_->Describe(vm.entry.facts.id, vm.entry.facts, *vm.devices);
  tap_names_.Take(vm.entry.facts.id, *vm.devices, engine_);
}

void Sensor::TakeGiven(KernelTime now) {
  const auto wall = [this](KernelTime time) { return WallAt(clock_, time); };
  for (const auto& [id, changed] : registry_.TakeGiven(host_.given(), wall)) {
    const VmRecord& vm = *registry_.Find(id);
    sources_->Entitle(id, vm.given->given);
    if (!changed || !log_quota_.Admit(now)) continue;
    spdlog::info("VM {}: what it was given changed: {}", vm.entry.facts.name,
                 absl::StrJoin(vm.given->changes, "; "));
  }
}

// Norms may be per vCPU. KVM frees a vCPU only with its VM: fewer are a VM that ends, which clears
// its alerts as such.
void Sensor::CountVcpus(KernelTime now) {
  for (const KvmCounts& counts : sources_->kvm().vms()) {
    const VmRecord* known = registry_.Find(counts.vm);
    if (known == nullptr || known->entry.facts.vcpus >= counts.vcpus) continue;
    VmEntry vm = known->entry;
    vm.facts.vcpus = counts.vcpus;
    Watch(vm, now);
  }
}

// Its alerts end with it. It is watched on, for what its processes do.
void Sensor::Exit(const VmEntry& vm, KernelTime now) {
  if (log_quota_.Admit(now)) {
    spdlog::warn("VM {} ended, but its VMM or a child of it goes on, and is watched",
                 vm.facts.name);
  }
  engine_.RemoveVm(vm.facts.id, now);
  Raise(now);
  Appear(vm, now);
}

void Sensor::Vanish(const VmGone& gone, KernelTime now) {
  if (const VmRecord* vm = registry_.Find(gone.id)) {
    if (log_quota_.Admit(now)) {
      spdlog::info("VM {} exited{}", vm->entry.facts.name,
                   vm->entry.exited ? " some time ago, now its last process, too" : "");
    }
    engine_.RemoveVm(gone.id, now);
    registry_.Remove(gone.id);
    tap_names_.Forget(gone.id);
    observer_.Forget(gone.id);
  }
  if (gone.reason == GoneReason::kRowLost) {
    sources_->Unwatch(gone.id);
    self_.Tampered("a row of the map vms was emptied", now);
    return;
  }
  if (coverage_.Has("kvm_track_tsc") && sources_->kvm().tables().WasForgotten(gone.slot)) {
    self_.Tampered("the map vm_slots lost an entry, and a VM was taken for new", now);
  }
  const absl::Status released = sources_->Release({gone.id, gone.slot});
  if (!released.ok()) spdlog::error("{}", std::string(released.message()));
}

void Sensor::Sample(KernelTime now) {
  const Pulse::Step step(pulse_, clock_, "reading counters");
  observer_.Sample(coverage_, now);
  coverage_.Observe(sources_->kvm().vms(), sources_->FileSights());
  CountVcpus(now);
}

void Sensor::LookAtSelf(KernelTime now) {
  hub_.journal().Tend(now);
  self_.watch().Judge(Fault::kJournal, hub_.journal().state().problem, now);
  self_.watch().Judge(Fault::kSink, outlet_problem_(), now);
  self_.watch().Judge(Fault::kSpecs, specs_->view().refused, now);
  if (!self_.IsDue(now)) return;
  const Pulse::Step step(pulse_, clock_, "auditing the maps");
  self_.Look([this](uint64_t number) { return sources_->probe().SendCanary(number); },
             sources_->Audit(), now);
}

void Sensor::Raise(KernelTime now) {
  const Pulse::Step step(pulse_, clock_, "evaluating the specs");
  std::vector<AlertEvent> events = engine_.Tick(now);
  for (AlertEvent& event : self_.watch().Take()) {
    const bool is_well = event.state == AlertState::kCleared;
    spdlog::log(is_well ? spdlog::level::info : spdlog::level::err, "{}", event.summary);
    events.push_back(std::move(event));
  }
  if (events.empty()) return;
  PostSnapshot();  // first, so that who got an alert and asks for the VM's score sees it
  for (AlertEvent& event : events) publisher_.Publish(std::move(event));
}

}  // namespace kvmsentry
