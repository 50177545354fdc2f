#include "sensor/probe/probe.h"

#include <algorithm>
#include <cerrno>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include "absl/strings/match.h"

#include "sensor/probe/iterator.h"
#include "sensor/probe/kernel.h"

namespace kvmsentry {
namespace {

int OnRecord(void* visit, void* data, size_t size) {
  (*static_cast<const std::function<void(std::span<const std::byte>)>*>(visit))(
      {static_cast<const std::byte*>(data), size});
  return 0;
}

std::vector<Variant> AllowedVariants(const Hook& hook, const ProbeOptions& options) {
  const auto forced = options.variants.find(std::string(hook.name));
  if (forced != options.variants.end()) return forced->second;
  return {hook.variants.begin(), hook.variants.end()};
}

// Whether the object loads with only these programs: tried on a copy of its own.
absl::Status Loads(absl::string_view object, const std::vector<std::string>& programs,
                   const MapPlan& plan) {
  KVMSENTRY_ASSIGN_OR_RETURN(BpfObject trial, BpfObject::Open(object, plan));
  return trial.Load(programs);
}

struct Choice {
  const Hook* hook = nullptr;
  std::vector<Variant> left;              // still to be tried, the cheapest first
  std::string reasons;                    // why those before were not taken
  Lack lack = Lack::kNone;                // the worst of these reasons
  std::vector<absl::string_view> absent;  // see ProgramNames()
};

std::vector<std::string> NextPrograms(const Choice& choice) {
  return ProgramNames(*choice.hook, choice.left.front(), choice.absent);
}

Lack LackOf(const absl::Status& refused) {
  switch (refused.code()) {
    case absl::StatusCode::kUnimplemented:
      return Lack::kNotApplicable;
    case absl::StatusCode::kUnavailable:
      return Lack::kModuleMissing;
    default:
      return Lack::kFailed;
  }
}

// What is so whatever the variant is said without one.
void GiveUpOn(Choice& choice, const absl::Status& refused, Lack lack = Lack::kFailed) {
  if (!absl::StrContains(choice.reasons, refused.message())) {
    const bool of_variant = lack == Lack::kFailed;
    absl::StrAppend(&choice.reasons, choice.reasons.empty() ? "" : "; ",
                    of_variant ? VariantName(choice.left.front()) : "", of_variant ? ": " : "",
                    refused.message());
  }
  choice.lack = std::max(choice.lack, lack);
  choice.left.erase(choice.left.begin());
}

std::vector<std::string> Programs(const std::vector<Choice>& choices) {
  std::vector<std::string> programs;
  for (const Choice& choice : choices) {
    if (choice.left.empty()) continue;
    for (std::string& name : NextPrograms(choice)) {
      programs.push_back(std::move(name));
    }
  }
  return programs;
}

// The object with the first variant of each choice that loads; gives up on those before.
absl::StatusOr<BpfObject> LoadBest(absl::string_view name, std::vector<Choice>& choices,
                                   const MapPlan& plan) {
  KVMSENTRY_ASSIGN_OR_RETURN(BpfObject object, BpfObject::Open(name, plan));
  const absl::Status loaded = object.Load(Programs(choices));
  if (loaded.ok()) return object;
  if (absl::IsResourceExhausted(loaded)) return loaded;  // no fault of a program
  // One program that is refused takes the whole object with it: find out which, program by program.
  for (Choice& choice : choices) {
    while (!choice.left.empty()) {
      const absl::Status alone = Loads(name, NextPrograms(choice), plan);
      if (alone.ok()) break;
      GiveUpOn(choice, alone);
    }
  }
  KVMSENTRY_ASSIGN_OR_RETURN(object, BpfObject::Open(name, plan));
  // Without any program only maps are left to load: if they fail, nothing can work.
  KVMSENTRY_RETURN_IF_ERROR(object.Load(Programs(choices)));
  return object;
}

// The coverage of a hook that no variant is left of.
HookCoverage Without(const Choice& choice) {
  return {.hook = choice.hook,
          .coverage = Coverage::kUnobservable,
          .variant = {},
          .reason = choice.reasons.empty() ? "switched off by --without-hook" : choice.reasons,
          .lack = choice.reasons.empty() ? Lack::kSwitchedOff : choice.lack};
}

// The coverage of a hook that is but a file: it needs no program, and is there or not.
HookCoverage OfFile(const Choice& choice) {
  HookCoverage coverage = Without(choice);
  if (choice.left.empty()) return coverage;
  coverage.coverage = Coverage::kActive;
  coverage.variant = std::string(VariantName(choice.left.front()));
  coverage.reason.clear();
  return coverage;
}

absl::Status Attach(BpfObject& object, const Choice& choice) {
  const bool on_demand = choice.left.front() == Variant::kOnDemand;
  for (const std::string& program : NextPrograms(choice)) {
    KVMSENTRY_RETURN_IF_ERROR(on_demand ? object.Use(program) : object.Attach(program));
  }
  return absl::OkStatus();
}

}  // namespace

void Probe::RingDeleter::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

Probe::~Probe() {
  if (!keep_pins_) DiscardNewPins(folder_, options_.pin_root);
}

absl::StatusOr<std::unique_ptr<Probe>> Probe::Load(const ProbeOptions& options,
                                                   std::vector<const BpfSource*> sources,
                                                   const Ready& ready) {
  KeepLibbpfLog();
  std::unique_ptr<Probe> probe(new Probe);
  probe->options_ = options;
  probe->plan_ = MapPlan(options.pin_root, options.sizes, std::move(sources));
  KVMSENTRY_RETURN_IF_ERROR(probe->LoadAll(ready));
  return probe;
}

absl::Status Probe::LoadAll(const Ready& ready) {
  const std::vector<const Hook*> hooks = plan_.hooks();
  KVMSENTRY_ASSIGN_OR_RETURN(const Kernel kernel, Kernel::Inspect(hooks));
  KVMSENTRY_ASSIGN_OR_RETURN(folder_, PreparePins(plan_));
  for (const BpfSource* source : plan_.sources()) {
    // Each of its objects has all its maps: loading one without a program makes them.
    KVMSENTRY_ASSIGN_OR_RETURN(BpfObject maps,
                               BpfObject::Open(source->objects.front().name, plan_));
    KVMSENTRY_RETURN_IF_ERROR(maps.Load({}));
    maps_.push_back(std::move(maps));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(self_, BpfObject::Open("self", plan_));
  KVMSENTRY_RETURN_IF_ERROR(self_.Load({"canary"}));
  ring_.reset(ring_buffer__new(self_.MapFd("ring"), OnRecord, &visit_, nullptr));
  if (ring_ == nullptr) return absl::ErrnoToStatus(errno, "opening the ring");
  KVMSENTRY_RETURN_IF_ERROR(ready(*this));
  KVMSENTRY_RETURN_IF_ERROR(LoadHooks(kernel, hooks));
  const Sight seen = sight();
  if (seen.extent == Sight::Extent::kNothing) return absl::FailedPreconditionError(seen.detail);
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
  for (const BpfObject& object : maps_) {
    if (const int fd = object.MapFd(name); fd >= 0) return fd;
  }
  return self_.MapFd(name);
}

int Probe::ProgramFd(absl::string_view object, const std::string& program) const {
  for (const BpfObject& holder : objects_) {
    if (holder.name() == object && holder.ProgramFd(program) >= 0) return holder.ProgramFd(program);
  }
  return -1;
}

bool Probe::IsMissing(const HookCoverage& coverage) const {
  return coverage.coverage == Coverage::kUnobservable && !coverage.silent &&
         !shed_.contains(coverage.hook);
}

std::vector<std::string> Probe::ObjectsWithMissing() const {
  std::vector<std::string> objects;
  for (const HookCoverage& coverage : coverage_) {
    if (!IsMissing(coverage)) continue;
    const std::string object(coverage.hook->object);
    if (std::ranges::find(objects, object) == objects.end()) objects.push_back(object);
  }
  return objects;
}

absl::StatusOr<size_t> Probe::AttachMissing(absl::string_view object) {
  // Objects share maps by their pins: without one, a map of its own would be made.
  KVMSENTRY_RETURN_IF_ERROR(AuditPins());
  std::vector<const Hook*> missing;
  for (const HookCoverage& coverage : coverage_) {
    if (IsMissing(coverage) && coverage.hook->object == object) missing.push_back(coverage.hook);
  }
  KVMSENTRY_ASSIGN_OR_RETURN(const Kernel kernel, Kernel::Inspect(plan_.hooks()));
  KVMSENTRY_RETURN_IF_ERROR(LoadHooks(kernel, missing));
  const auto still_missing = std::ranges::count_if(coverage_, [&](const HookCoverage& coverage) {
    return IsMissing(coverage) && coverage.hook->object == object;
  });
  return missing.size() - static_cast<size_t>(still_missing);
}

absl::Status Probe::LoadHooks(const Kernel& kernel, const std::vector<const Hook*>& hooks) {
  for (std::span<const Hook* const> rest = hooks; !rest.empty();) {
    const auto other = std::ranges::find_if(
        rest, [&](const Hook* hook) { return hook->object != rest.front()->object; });
    const auto count = static_cast<size_t>(other - rest.begin());
    KVMSENTRY_RETURN_IF_ERROR(LoadObject(rest.front()->object, rest.first(count), kernel));
    rest = rest.subspan(count);
  }
  return absl::OkStatus();
}

void Probe::Cover(HookCoverage coverage) {
  const auto known = std::ranges::find(coverage_, coverage.hook, &HookCoverage::hook);
  if (known == coverage_.end()) {
    coverage_.push_back(std::move(coverage));
  } else {
    *known = std::move(coverage);
  }
}

absl::Status Probe::LoadObject(absl::string_view name, std::span<const Hook* const> hooks,
                               const Kernel& kernel) {
  std::vector<Choice> choices;
  for (const Hook* hook : hooks) {
    Choice choice{.hook = hook,
                  .left = AllowedVariants(*hook, options_),
                  .reasons = {},
                  .absent = kernel.AbsentOf(*hook)};
    while (!choice.left.empty()) {
      const absl::Status offered = kernel.Offers(*hook, choice.left.front());
      if (offered.ok()) break;
      GiveUpOn(choice, offered, LackOf(offered));
    }
    choices.push_back(std::move(choice));
  }

  const bool nothing_to_load =
      std::ranges::all_of(choices, [](const Choice& choice) { return choice.left.empty(); });
  if (name.empty()) {
    for (const Choice& choice : choices) Cover(OfFile(choice));
    return absl::OkStatus();
  }
  BpfObject object;
  if (nothing_to_load) {
    // Of no use here, and each object takes its time to load.
    for (const Choice& choice : choices) Cover(Without(choice));
    return absl::OkStatus();
  }
  for (bool all_attached = false; !all_attached;) {
    KVMSENTRY_ASSIGN_OR_RETURN(object, LoadBest(name, choices, plan_));
    all_attached = true;
    for (Choice& choice : choices) {
      if (choice.left.empty()) continue;
      const absl::Status attached = Attach(object, choice);
      if (attached.ok()) continue;
      GiveUpOn(choice, attached);
      all_attached = false;
    }
  }
  for (const Choice& choice : choices) {
    HookCoverage coverage = Without(choice);
    if (!choice.left.empty()) {
      const Variant variant = choice.left.front();
      const bool weak = IsWeak(*choice.hook, variant);
      coverage.coverage = weak ? Coverage::kDegraded : Coverage::kAttached;
      coverage.variant = std::string(VariantName(variant));
      coverage.reason = std::string(weak ? choice.hook->weakness : "");
      coverage.lack = weak ? Lack::kFailed : Lack::kNone;
      coverage.programs = NextPrograms(choice);
      if (variant == Variant::kIterator) walk_object_ = static_cast<int>(objects_.size());
      if (variant == Variant::kProcessIterator) device_walk_ = object.ProgramFd("walk_devices");
    }
    Cover(std::move(coverage));
  }
  if (!object.UsedPrograms().empty()) objects_.push_back(std::move(object));
  return absl::OkStatus();
}

Probe::Fired Probe::FiredOf(const HookCoverage& coverage) {
  Fired fired;
  for (const std::string& program : coverage.programs) {
    const BpfObject* holder = HolderOf(coverage.hook->object, program);
    const bool has_fired = holder != nullptr && holder->HasFired(program);
    const bool needed = IsNeeded(*coverage.hook, program);
    fired.programs += has_fired ? 1 : 0;
    fired.needed += needed ? 1 : 0;
    fired.of_needed += has_fired && needed ? 1 : 0;
  }
  return fired;
}

size_t Probe::NoteFired() {
  size_t noted = 0;
  for (HookCoverage& coverage : coverage_) {
    if (coverage.coverage != Coverage::kAttached && !coverage.silent) continue;
    const Fired fired = FiredOf(coverage);
    if (fired.programs == 0) continue;
    const bool all = fired.of_needed == fired.needed;
    std::string reason =
        all ? "" : absl::StrCat(fired.of_needed, " of ", fired.needed, " programs have fired");
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

uint64_t Probe::SkippedRuns() const {
  uint64_t skipped = 0;
  for (const BpfObject& object : objects_) {
    for (const int program : object.UsedPrograms()) {
      bpf_prog_info info{};
      uint32_t length = sizeof(info);
      if (bpf_obj_get_info_by_fd(program, &info, &length) == 0) skipped += info.recursion_misses;
    }
  }
  return skipped;
}

uint64_t Probe::MissedProbes() const {
  uint64_t missed = 0;
  for (const BpfObject& object : objects_) missed += object.MissedProbes();
  return missed;
}

int Probe::ring_fd() const { return ring_buffer__epoll_fd(ring_.get()); }

void Probe::DrainRing(const std::function<void(std::span<const std::byte>)>& visit) {
  visit_ = visit;
  ring_buffer__consume(ring_.get());
}

absl::StatusOr<std::vector<ks_open_file>> Probe::WalkOpenFiles() const {
  if (walk_object_ < 0) return absl::UnavailableError("this kernel has no iterator task_file");
  const bpf_link* link = objects_[static_cast<size_t>(walk_object_)].Link("walk_files");
  std::vector<ks_open_file> found;
  KVMSENTRY_RETURN_IF_ERROR(ReadIterator<ks_open_file>(
      bpf_link__fd(link), [&](const ks_open_file& file) { found.push_back(file); }));
  return found;
}

absl::Status Probe::WalkDevices(int32_t pid,
                                const std::function<void(const ks_open_device&)>& visit) const {
  if (device_walk_ < 0) return absl::UnavailableError("this kernel cannot walk over one process");
  KVMSENTRY_ASSIGN_OR_RETURN(const Fd link, IterateOverProcess(device_walk_, pid));
  return ReadIterator<ks_open_device>(link.get(), visit);
}

}  // namespace kvmsentry
