#include "sensor/probe/libbpf_loader.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <bpf/bpf.h>

#include "self.skel.h"
#include "sensor/probe/attach_targets.h"
#include "sensor/probe/choice.h"
#include "sensor/probe/kernel.h"

namespace kvmsentry {

LibbpfLoader::LibbpfLoader(const ProbeOptions& options, std::vector<const BpfSource*> sources)
    : options_(options), plan_(options.pin_root, options.sizes, std::move(sources)) {
  KeepLibbpfLog();
}

absl::StatusOr<LoadedObject> LibbpfLoader::HandOver(BpfObject object, BpfObject::Maps maps) {
  const auto number = static_cast<uint32_t>(objects_.size());
  absl::StatusOr<LoadedObject> loaded = object.HandOver(number, maps);
  if (loaded.ok()) objects_.push_back(std::move(object));  // else it is detached
  return loaded;
}

absl::StatusOr<Loader::Prepared> LibbpfLoader::Prepare() {
  KVMSENTRY_ASSIGN_OR_RETURN(kernel_, Kernel::Inspect(plan_.hooks()));
  Prepared prepared;
  KVMSENTRY_ASSIGN_OR_RETURN(prepared.folder, PreparePins(plan_));
  const absl::Status made = MakeMaps(&prepared);
  if (made.ok()) return prepared;
  DiscardNewPins(prepared.folder, plan_.pin_root());
  return made;
}

absl::Status LibbpfLoader::MakeMaps(Prepared* prepared) {
  for (const BpfSource* source : plan_.sources()) {
    KVMSENTRY_ASSIGN_OR_RETURN(BpfObject maps,
                               BpfObject::Open(source->name, BytesOf(source->maps_only), plan_));
    KVMSENTRY_RETURN_IF_ERROR(maps.Load({}));
    KVMSENTRY_ASSIGN_OR_RETURN(LoadedObject loaded,
                               HandOver(std::move(maps), BpfObject::Maps::kToo));
    prepared->maps.push_back(std::move(loaded));
  }
  KVMSENTRY_ASSIGN_OR_RETURN(BpfObject self,
                             BpfObject::Open("self", BytesOf(self_bpf__elf_bytes), plan_));
  KVMSENTRY_RETURN_IF_ERROR(self.Load({"canary"}));
  KVMSENTRY_ASSIGN_OR_RETURN(prepared->self, HandOver(std::move(self), BpfObject::Maps::kToo));
  if (absl::StatusOr<Strays> strays = Strays::Make(plan_); strays.ok()) {
    strays_ = std::make_unique<Strays>(*std::move(strays));
  }
  return absl::OkStatus();
}

absl::StatusOr<Loader::Attached> LibbpfLoader::Attach(std::span<const Hook* const> hooks) {
  if (objects_.empty()) return absl::FailedPreconditionError("attaching before the maps are made");
  for (const Hook* hook : hooks) {
    if (!attached_.contains(hook)) continue;
    return absl::FailedPreconditionError(absl::StrCat("hook ", hook->name, " is attached"));
  }
  // Modules may have come since the last time.
  if (!kernel_) {
    KVMSENTRY_ASSIGN_OR_RETURN(kernel_, Kernel::Inspect(plan_.hooks()));
  }
  const Kernel kernel = *std::move(kernel_);
  kernel_.reset();
  const AttachTargets targets(kernel);
  Attached attached;
  while (!hooks.empty()) {
    const BpfSource& source = plan_.SourceOf(*hooks.front());
    const auto other = std::ranges::find_if(
        hooks, [&](const Hook* hook) { return &plan_.SourceOf(*hook) != &source; });
    const auto count = static_cast<size_t>(other - hooks.begin());
    KVMSENTRY_RETURN_IF_ERROR(AttachOf(source, hooks.first(count), kernel, &attached));
    hooks = hooks.subspan(count);
  }
  return attached;
}

absl::Status LibbpfLoader::AttachOf(const BpfSource& source, std::span<const Hook* const> hooks,
                                    const Kernel& kernel, Attached* attached) {
  std::vector<Choice> choices;
  for (const Hook* hook : hooks) choices.push_back(ChoiceOf(*hook, source, kernel, options_));
  const bool nothing_to_load = std::ranges::all_of(choices, [](const Choice& choice) {
    return choice.left.empty() || choice.hook->bpf.empty();
  });
  if (nothing_to_load) {
    // An object takes its time to load.
    for (const Choice& choice : choices) {
      attached->coverage.push_back(CoverageOf(choice));
    }
    return absl::OkStatus();
  }
  BpfObject object;
  for (bool all_attached = false; !all_attached;) {
    KVMSENTRY_ASSIGN_OR_RETURN(object, LoadBest(source, choices, plan_));
    all_attached = true;
    for (Choice& choice : choices) {
      if (choice.left.empty()) continue;
      const absl::Status tried = AttachChosen(object, choice, strays_.get());
      if (tried.ok()) continue;
      GiveUpOn(choice, tried);
      // The next variant is not in the object; but where there is none, all others stay attached.
      all_attached &= choice.left.empty();
    }
  }
  const bool used =
      std::ranges::any_of(choices, [](const Choice& choice) { return !choice.left.empty(); });
  if (used) {
    KVMSENTRY_ASSIGN_OR_RETURN(LoadedObject loaded,
                               HandOver(std::move(object), BpfObject::Maps::kNone));
    attached->objects.push_back(std::move(loaded));
  }
  for (const Choice& choice : choices) {
    attached->coverage.push_back(CoverageOf(choice));
    if (!choice.left.empty()) attached_.insert(choice.hook);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::pair<BpfObject*, std::string>> LibbpfLoader::Find(uint32_t object,
                                                                      uint32_t program) {
  if (object >= objects_.size() || program >= objects_[object].programs().size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no program ", program, " of an object ", object));
  }
  return std::pair(&objects_[object], objects_[object].programs()[program]);
}

absl::StatusOr<LoadedLink> LibbpfLoader::Reattach(uint32_t object, uint32_t program) {
  KVMSENTRY_ASSIGN_OR_RETURN(const auto found, Find(object, program));
  KVMSENTRY_RETURN_IF_ERROR(found.first->Attach(found.second));
  return found.first->HandOverLink(found.second);
}

absl::Status LibbpfLoader::Detach(uint32_t object, uint32_t program) {
  KVMSENTRY_ASSIGN_OR_RETURN(const auto found, Find(object, program));
  found.first->Detach(found.second);
  return absl::OkStatus();
}

absl::StatusOr<Fd> LibbpfLoader::CountRunTimes() {
  Fd statistics(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (statistics) return statistics;
  return absl::ErrnoToStatus(errno, "counting run times of programs (BPF_ENABLE_STATS)");
}

}  // namespace kvmsentry
