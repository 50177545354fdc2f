#include "sensor/probe/choice.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

constexpr char kPreempted[] =
    "tasks are preempted amid it, so guests that share a CPU may go uncounted";

std::vector<Variant> AllowedVariants(const Hook& hook, const ProbeOptions& options) {
  const auto forced = options.variants.find(std::string(hook.name));
  if (forced != options.variants.end()) return forced->second;
  return {hook.variants.begin(), hook.variants.end()};
}

// Both run with preemption off: perf_trace_buf_submit() of a classic tracepoint's record
// (include/trace/perf.h), kprobe_ftrace_handler() (arch/x86/kernel/kprobes/ftrace.c).
bool IsUnpreempted(Variant variant) {
  return variant == Variant::kTp || variant == Variant::kKprobe || variant == Variant::kKretprobe;
}

std::vector<std::string> NextPrograms(const Choice& choice) {
  return ProgramNames(*choice.hook, choice.left.front(), choice.absent);
}

bool Contains(const std::vector<std::string>& programs, const std::string& program) {
  return std::ranges::find(programs, program) != programs.end();
}

// Where libbpf does not say which program was refused: tries each choice on a copy of its own.
// False where no program is to blame: then nothing can work.
bool GiveUpOnRefused(const BpfSource& source, std::vector<Choice>& choices, const MapPlan& plan) {
  absl::StatusOr<BpfObject> without_programs = BpfObject::Open(source, plan);
  if (!without_programs.ok() || !without_programs->Load({}).ok()) return false;
  bool any = false;
  for (Choice& choice : choices) {
    while (!choice.left.empty()) {
      absl::StatusOr<BpfObject> trial = BpfObject::Open(source, plan);
      const absl::Status alone = trial.ok() ? trial->Load(NextPrograms(choice)) : trial.status();
      if (alone.ok()) break;
      GiveUpOn(choice, alone);
      any = true;
    }
  }
  return any;
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

Choice ChoiceOf(const Hook& hook, const BpfSource& source, const Kernel& kernel,
                const ProbeOptions& options) {
  const bool free = !options.variants.contains(std::string(hook.name));
  Choice choice{.hook = &hook,
                .left = AllowedVariants(hook, options),
                .reasons = {},
                .absent = kernel.AbsentOf(hook),
                .wants_unpreempted = free && source.wants_unpreempted &&
                                     kernel.preempts_programs() &&
                                     std::ranges::any_of(hook.variants, IsUnpreempted)};
  if (choice.wants_unpreempted) {
    std::stable_partition(choice.left.begin(), choice.left.end(), IsUnpreempted);
  }
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

absl::StatusOr<BpfObject> LoadBest(const BpfSource& source, std::vector<Choice>& choices,
                                   const MapPlan& plan) {
  while (true) {
    KVMSENTRY_ASSIGN_OR_RETURN(BpfObject object, BpfObject::Open(source, plan));
    const absl::Status loaded = object.Load(Programs(choices));
    if (loaded.ok()) return object;
    if (absl::IsResourceExhausted(loaded)) return loaded;  // no fault of a program
    // One program that is refused takes the whole object with it.
    const auto refused = std::ranges::find_if(choices, [&](const Choice& choice) {
      return !choice.left.empty() && Contains(NextPrograms(choice), object.refused());
    });
    if (refused != choices.end()) {
      GiveUpOn(*refused, loaded);
    } else if (!GiveUpOnRefused(source, choices, plan)) {
      return loaded;
    }
  }
}

absl::Status AttachChosen(BpfObject& object, const Choice& choice, Strays* strays) {
  const Variant variant = choice.left.front();
  if (variant == Variant::kOnDemand) return absl::OkStatus();  // its source does
  const std::vector<std::string> programs = NextPrograms(choice);
  absl::Status attached;
  for (const std::string& program : programs) {
    if (attached.ok()) attached = object.Attach(program);
  }
  const bool on_functions = variant == Variant::kFentry || variant == Variant::kFexit;
  if (attached.ok() && on_functions && strays != nullptr) {
    attached = strays->FindNone(object, programs);
  }
  if (attached.ok()) return attached;
  for (const std::string& program : programs) object.Drop(program);
  return attached;
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
  if (hook.bpf.empty()) return coverage;  // but a file: what it gives of VMs its source will say
  if (IsWeak(hook, variant)) {
    coverage.coverage = Coverage::kDegraded;
    // What was refused may be this function alone, or all functions: only the kernel says which.
    coverage.reason =
        absl::StrCat(hook.weakness, choice.reasons.empty() ? "" : "; ", choice.reasons);
    coverage.lack = Lack::kFailed;
  } else if (choice.wants_unpreempted && !IsUnpreempted(variant)) {
    coverage.coverage = Coverage::kDegraded;
    coverage.reason = absl::StrCat(kPreempted, "; ", choice.reasons);
    coverage.lack = Lack::kFailed;
  }
  coverage.programs = NextPrograms(choice);
  return coverage;
}

}  // namespace kvmsentry
