#include "sensor/probe/choice.h"

#include <algorithm>

#include "absl/strings/match.h"

namespace kvmsentry {
namespace {

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

}  // namespace

Choice ChoiceOf(const Hook& hook, const Kernel& kernel, const ProbeOptions& options) {
  Choice choice{.hook = &hook,
                .left = AllowedVariants(hook, options),
                .reasons = {},
                .absent = kernel.AbsentOf(hook)};
  while (!choice.left.empty()) {
    const absl::Status offered = kernel.Offers(hook, choice.left.front());
    if (offered.ok()) break;
    GiveUpOn(choice, offered, LackOf(offered));
  }
  return choice;
}

// A reason that holds for every variant is given without a variant's name.
void GiveUpOn(Choice& choice, const absl::Status& refused, Lack lack) {
  if (!absl::StrContains(choice.reasons, refused.message())) {
    const bool of_variant = lack == Lack::kFailed;
    absl::StrAppend(&choice.reasons, choice.reasons.empty() ? "" : "; ",
                    of_variant ? VariantName(choice.left.front()) : "", of_variant ? ": " : "",
                    refused.message());
  }
  choice.lack = std::max(choice.lack, lack);
  choice.left.erase(choice.left.begin());
}

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

absl::Status AttachChosen(BpfObject& object, const Choice& choice) {
  if (choice.left.front() == Variant::kOnDemand) return absl::OkStatus();  // its source does
  for (const std::string& program : NextPrograms(choice)) {
    KVMSENTRY_RETURN_IF_ERROR(object.Attach(program));
  }
  return absl::OkStatus();
}

HookCoverage CoverageOf(const Choice& choice) {
  const Hook& hook = *choice.hook;
  if (choice.left.empty()) {
    const bool off = choice.reasons.empty();
    return {.hook = &hook,
            .coverage = Coverage::kUnobservable,
            .variant = {},
            .reason = off ? "switched off by --without-hook" : choice.reasons,
            .lack = off ? Lack::kSwitchedOff : choice.lack};
  }
  const Variant variant = choice.left.front();
  HookCoverage coverage{.hook = &hook,
                        .coverage = Coverage::kAttached,
                        .variant = std::string(VariantName(variant)),
                        .reason = {}};
  if (hook.object.empty()) {
    coverage.coverage = Coverage::kActive;  // but a file: it needs no program, and is there
    return coverage;
  }
  if (IsWeak(hook, variant)) {
    coverage.coverage = Coverage::kDegraded;
    coverage.reason = std::string(hook.weakness);
    coverage.lack = Lack::kFailed;
  }
  coverage.programs = NextPrograms(choice);
  return coverage;
}

}  // namespace kvmsentry
