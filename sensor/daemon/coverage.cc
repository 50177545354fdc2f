#include "sensor/daemon/coverage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace kvmsentry {
namespace {

// A vCPU can return to user space without having entered the guest (a signal, immediate_exit), so a
// few returns prove nothing.
constexpr uint64_t kReturnsThatProve = 64;

constexpr char kSilent[] =
    "attached, but vCPUs ran and it never fired: this KVM back end does not raise it";

}  // namespace

BackEndSilence FindSilence(std::span<const VmCounts> counts) {
  uint64_t returns = 0;
  uint64_t exits = 0;
  uint64_t entries = 0;
  for (const VmCounts& vm : counts) {
    returns += vm.count[KS_METER_USERSPACE_EXIT];
    exits += vm.count[KS_METER_EXIT];
    entries += vm.count[KS_METER_ENTRY];
  }
  if (returns < kReturnsThatProve) return {};
  return {.exits = exits == 0, .entries = entries == 0};
}

std::vector<HookCoverage> ApplySilence(std::vector<HookCoverage> coverage, BackEndSilence silence) {
  for (HookCoverage& hook : coverage) {
    const bool silent = (hook.hook->name == "kvm_exit" && silence.exits) ||
                        (hook.hook->name == "kvm_entry" && silence.entries);
    if (!silent || hook.coverage != Coverage::kActive) continue;
    hook.coverage = Coverage::kUnobservable;
    hook.reason = kSilent;
  }
  return coverage;
}

SpecCoverage CoverageOf(const Spec& spec, std::span<const HookCoverage> hooks) {
  const absl::string_view name = FeatureOf(spec.feature).hook;
  const auto hook =
      std::ranges::find_if(hooks, [name](const HookCoverage& h) { return h.hook->name == name; });
  if (hook == hooks.end()) {
    return {Coverage::kUnobservable, absl::StrCat("no hook ", name, " in this sensor")};
  }
  if (hook->coverage == Coverage::kActive) return {Coverage::kActive, ""};
  return {hook->coverage, absl::StrCat(name, ": ", hook->reason)};
}

}  // namespace kvmsentry
