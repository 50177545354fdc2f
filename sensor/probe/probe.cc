#include "sensor/probe/probe.h"

#include <algorithm>
#include <cerrno>

#include <bpf/libbpf.h>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"

#include "sensor/probe/iterator.h"
#include "sensor/probe/kernel.h"

namespace kvmsentry {
namespace {

int OnRecord(void* visit, void* data, size_t size) {
  (*static_cast<const std::function<void(std::span<const std::byte>)>*>(visit))(
      {static_cast<const std::byte*>(data), size});
  return 0;
}

}  // namespace

void Probe::RingDeleter::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

Probe::~Probe() {
  if (!keep_pins_) DiscardNewPins(folder_, options_.pin_root);
}

absl::StatusOr<std::unique_ptr<Probe>> Probe::Load(const ProbeOptions& options,
                                                   std::vector<const BpfSource*> sources,
                                                   std::unique_ptr<Loader> loader,
                                                   const Ready& ready) {
  std::unique_ptr<Probe> probe(new Probe);
  probe->options_ = options;
  probe->plan_ = MapPlan(options.pin_root, options.sizes, std::move(sources));
  probe->loader_ = std::move(loader);
  KVMSENTRY_RETURN_IF_ERROR(probe->LoadAll(ready));
  return probe;
}

absl::Status Probe::LoadAll(const Ready& ready) {
  KVMSENTRY_ASSIGN_OR_RETURN(Loader::Prepared prepared, loader_->Prepare());
  folder_ = std::move(prepared.folder);
  maps_ = std::move(prepared.maps);
  self_ = std::move(prepared.self);
  ring_.reset(ring_buffer__new(self_.MapFd("ring"), OnRecord, &visit_, nullptr));
  if (ring_ == nullptr) return absl::ErrnoToStatus(errno, "opening the ring");
  KVMSENTRY_RETURN_IF_ERROR(ready(*this));
  KVMSENTRY_RETURN_IF_ERROR(Attach(plan_.hooks()));
  const Sight seen = sight();
  if (seen.extent == Sight::Extent::kNothing) return absl::FailedPreconditionError(seen.detail);
  return absl::OkStatus();
}

absl::Status Probe::Attach(std::span<const Hook* const> hooks) {
  KVMSENTRY_ASSIGN_OR_RETURN(Loader::Attached attached, loader_->Attach(hooks));
  for (LoadedObject& object : attached.objects) objects_.push_back(std::move(object));
  for (const HookCoverage& coverage : attached.coverage) {
    for (const std::string& program : coverage.programs) {
      if (HolderOf(*coverage.hook, program) != nullptr) continue;
      return absl::DataLossError(absl::StrCat("program ", program, " was not handed over"));
    }
  }
  for (HookCoverage& coverage : attached.coverage) Cover(std::move(coverage));
  return absl::OkStatus();
}

Sight Probe::sight() const {
  if (!Kernel::HasKvm()) return {};
  std::vector<HookCoverage> chosen;
  for (const HookCoverage& coverage : coverage_) {
    if (options_.variants.contains(std::string(coverage.hook->name))) continue;
    const auto shed = shed_.find(coverage.hook);
    chosen.push_back(shed == shed_.end() ? coverage : shed->second);
  }
  return SightOf(chosen);
}

int Probe::MapFd(const std::string& name) const {
  for (const LoadedObject& object : maps_) {
    if (const int fd = object.MapFd(name); fd >= 0) return fd;
  }
  return self_.MapFd(name);
}

int Probe::ProgramFd(const std::string& program) const {
  const auto of_hook = std::ranges::find(
      coverage_, program, [](const HookCoverage& coverage) { return coverage.hook->name; });
  return of_hook == coverage_.end() ? -1 : ProgramFd(*of_hook->hook, program);
}

int Probe::ProgramFd(const Hook& hook, absl::string_view program) const {
  const LoadedObject* holder = HolderOf(hook, program);
  return holder == nullptr ? -1 : holder->ProgramFd(program);
}

bool Probe::IsMissing(const HookCoverage& coverage) const {
  return coverage.coverage == Coverage::kUnobservable && !coverage.silent &&
         !shed_.contains(coverage.hook);
}

std::vector<std::string> Probe::SourcesWithMissing() const {
  std::vector<std::string> sources;
  for (const HookCoverage& coverage : coverage_) {
    if (!IsMissing(coverage)) continue;
    const std::string source(plan_.SourceOf(*coverage.hook).name);
    if (std::ranges::find(sources, source) == sources.end()) sources.push_back(source);
  }
  return sources;
}

absl::StatusOr<size_t> Probe::AttachMissing(absl::string_view source) {
  // Objects share maps by their pins: without one, a map of its own would be made.
  KVMSENTRY_RETURN_IF_ERROR(AuditPins());
  const auto is_missing = [&](const HookCoverage& coverage) {
    return IsMissing(coverage) && plan_.SourceOf(*coverage.hook).name == source;
  };
  std::vector<const Hook*> missing;
  for (const HookCoverage& coverage : coverage_) {
    if (is_missing(coverage)) missing.push_back(coverage.hook);
  }
  KVMSENTRY_RETURN_IF_ERROR(Attach(missing));
  const auto still_missing = std::ranges::count_if(coverage_, is_missing);
  return missing.size() - static_cast<size_t>(still_missing);
}

void Probe::Cover(HookCoverage coverage) {
  for (const std::string& program : coverage.programs) {
    const LoadedObject& holder = *HolderOf(*coverage.hook, program);
    if (program == "walk_files") file_walk_ = holder.LinkFd(program);
    if (program == "walk_devices") device_walk_ = holder.ProgramFd(program);
  }
  const auto known = std::ranges::find(coverage_, coverage.hook, &HookCoverage::hook);
  if (known == coverage_.end()) {
    coverage_.push_back(std::move(coverage));
  } else {
    *known = std::move(coverage);
  }
}

Probe::Fired Probe::FiredOf(const HookCoverage& coverage) {
  Fired fired;
  for (const std::string& program : coverage.programs) {
    const LoadedObject* holder = HolderOf(*coverage.hook, program);
    const bool has_fired = holder != nullptr && holder->HasFired(program);
    const bool needed = IsNeeded(*coverage.hook, program);
    fired.programs += has_fired ? 1 : 0;
    fired.needed += needed ? 1 : 0;
    if (needed && !has_fired) fired.not_yet.emplace_back(program);
  }
  return fired;
}

size_t Probe::NoteFired() {
  size_t noted = 0;
  for (HookCoverage& coverage : coverage_) {
    if (coverage.coverage != Coverage::kAttached && !coverage.silent) continue;
    const Fired fired = FiredOf(coverage);
    if (fired.programs == 0) continue;
    const bool all = fired.not_yet.empty();
    std::string reason =
        all ? ""
            : absl::StrCat(fired.needed - fired.not_yet.size(), " of ", fired.needed,
                           " programs have fired, not yet ", absl::StrJoin(fired.not_yet, ", "));
    const Coverage seen = all ? Coverage::kActive : Coverage::kAttached;
    if (coverage.coverage == seen && coverage.reason == reason) continue;
    coverage.coverage = seen;
    coverage.silent = false;
    coverage.reason = std::move(reason);
    coverage.lack = Lack::kNone;
    ++noted;
  }
  return noted;
}

void Probe::JudgeByCanary() {
  NoteFired();
  for (HookCoverage& coverage : coverage_) {
    if (coverage.coverage != Coverage::kAttached || !coverage.hook->proven_by_canary) continue;
    if (FiredOf(coverage).programs != 0) continue;
    coverage.silent = true;
    coverage.coverage = Coverage::kUnobservable;
    coverage.reason =
        "attached, but it did not fire when a VM was run for that: this KVM back end does not "
        "raise it";
    coverage.lack = Lack::kFailed;
  }
}

Probe::Skipped Probe::SkippedRuns() const {
  Skipped skipped;
  for (const LoadedObject& object : objects_) {
    const BpfSource* source = plan_.FindSource(object.name());
    const bool everybody = source != nullptr && source->sees_everybody;
    for (const auto& [program, count] : object.SkippedRuns()) {
      const bool at_calls =
          absl::EndsWith(program, "_sys_enter") || absl::EndsWith(program, "_sys_exit");
      (everybody || at_calls ? skipped.anybodys : skipped.vms) += count;
    }
  }
  return skipped;
}

uint64_t Probe::MissedProbes() const {
  uint64_t missed = 0;
  for (const LoadedObject& object : objects_) missed += object.MissedProbes();
  return missed;
}

int Probe::ring_fd() const { return ring_buffer__epoll_fd(ring_.get()); }

void Probe::DrainRing(const std::function<void(std::span<const std::byte>)>& visit) {
  visit_ = visit;
  ring_buffer__consume(ring_.get());
}

absl::StatusOr<std::vector<ks_open_file>> Probe::WalkOpenFiles() const {
  if (file_walk_ < 0) return absl::UnavailableError("this kernel has no iterator task_file");
  std::vector<ks_open_file> found;
  KVMSENTRY_RETURN_IF_ERROR(ReadIterator<ks_open_file>(
      file_walk_, [&](const ks_open_file& file) { found.push_back(file); }));
  return found;
}

absl::Status Probe::WalkDevices(int32_t pid,
                                const std::function<void(const ks_open_device&)>& visit) const {
  if (device_walk_ < 0) return absl::UnavailableError("this kernel cannot walk over one process");
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd link, IterateOverProcess(device_walk_, pid));
  return ReadIterator<ks_open_device>(link.get(), visit);
}

}  // namespace kvmsentry
