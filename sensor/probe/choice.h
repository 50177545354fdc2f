// Which variant of a hook is taken: the cheapest that this kernel offers, loads and attaches.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "sensor/probe/bpf_object.h"
#include "sensor/probe/hooks.h"
#include "sensor/probe/kernel.h"
#include "sensor/probe/loader.h"
#include "sensor/probe/strays.h"

namespace kvmsentry {

// One hook's, as far as it has been made.
struct Choice {
  const Hook* hook = nullptr;
  std::vector<Variant> left;  // still to be tried, the cheapest first; empty: none works
  std::string reasons;        // why those before were not taken
  Lack lack = Lack::kNone;    // the worst of these reasons
  std::vector<absl::string_view> absent;  // see ProgramNames()
  // Tasks are preempted amid some variants, and those amid which they are not were tried first.
  bool wants_unpreempted = false;
};

// Without the variants that KERNEL does not offer, nor those that OPTIONS forbid. Where KERNEL
// preempts tasks amid programs, those of a SOURCE that wants that are first amid which it does not.
Choice ChoiceOf(const Hook& hook, const BpfSource& source, const Kernel& kernel,
                const ProbeOptions& options);

// The object of SOURCE with the first variant of each choice that loads; gives up on those before.
absl::StatusOr<BpfObject> LoadBest(const BpfSource& source, std::vector<Choice>& choices,
                                   const MapPlan& plan);

// Attaches all programs of the choice's variant, or none. FAILED_PRECONDITION where one is of
// STRAYS; null: nobody can tell.
absl::Status AttachChosen(BpfObject& object, const Choice& choice, Strays* strays);

// Drops the first variant that is left, noting why.
void GiveUpOn(Choice& choice, const absl::Status& refused, Lack lack = Lack::kFailed);

// What became of the choice, once its programs are attached or no variant is left.
HookCoverage CoverageOf(const Choice& choice);

}  // namespace kvmsentry
