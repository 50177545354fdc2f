#include "sensor/daemon/coverage.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kvmsentry {
namespace {

// A vCPU can return to user space without having entered the guest (a signal, immediate_exit), so a
// few returns prove nothing.
constexpr uint64_t kReturnsThatProve = 64;

constexpr char kSilent[] =
    "attached, but vCPUs ran and it never fired: this KVM back end does not raise it";

// The hooks that say which VM there is, and what is in doubt without them.
struct Identity {
  absl::string_view hook;
  absl::string_view doubt;
};
constexpr Identity kIdentity[] = {
    {"kvm_track_tsc", "an address that is used again may be taken for the VM before"},
    {"task_file", "VMs are neither named nor found dead"},
};

const HookCoverage* Find(std::span<const HookCoverage> hooks, absl::string_view name) {
  const auto found =
      std::ranges::find_if(hooks, [name](const HookCoverage& h) { return h.hook->name == name; });
  return found == hooks.end() ? nullptr : &*found;
}

}  // namespace

void SilenceWatch::Observe(std::span<const VmCounts> counts) {
  uint64_t returns = 0;
  for (const VmCounts& vm : counts) {
    returns += vm.count[KS_METER_USERSPACE_EXIT];
    exits_seen_ |= vm.count[KS_METER_EXIT] != 0;
    entries_seen_ |= vm.count[KS_METER_ENTRY] != 0;
  }
  const bool proven = returns >= kReturnsThatProve;
  silence_.exits = !exits_seen_ && (silence_.exits || proven);
  silence_.entries = !entries_seen_ && (silence_.entries || proven);
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
  const HookCoverage* hook = Find(hooks, name);
  if (hook == nullptr) {
    return {Coverage::kUnobservable, absl::StrCat("no hook ", name, " in this sensor")};
  }
  if (hook->coverage != Coverage::kActive) {
    return {hook->coverage, absl::StrCat(name, ": ", hook->reason)};
  }
  std::vector<std::string> doubts;
  for (const auto& [identity, doubt] : kIdentity) {
    const HookCoverage* other = Find(hooks, identity);
    if (other != nullptr && other->coverage != Coverage::kActive) {
      doubts.push_back(absl::StrCat(identity, ": ", other->reason, "; ", doubt));
    }
  }
  if (doubts.empty()) return {Coverage::kActive, ""};
  return {Coverage::kDegraded, absl::StrJoin(doubts, "; ")};
}

}  // namespace kvmsentry
