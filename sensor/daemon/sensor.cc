#include "sensor/daemon/sensor.h"

#include <algorithm>
#include <utility>

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
