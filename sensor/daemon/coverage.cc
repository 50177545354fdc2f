#include "sensor/daemon/coverage.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kvmsentry {
namespace {

// A hook that may stay silent, and what cannot go on for long without it.
struct Silence {
  absl::string_view hook;
  ks_meter meter;
  ks_meter proof;
  absl::string_view reason;
};
constexpr char kNoExits[] =
    "attached, but vCPUs ran and it never fired: this KVM back end does not raise it";
constexpr Silence kSilences[] = {
    {"kvm_exit", KS_METER_EXIT, KS_METER_USERSPACE_EXIT, kNoExits},
    {"kvm_entry", KS_METER_ENTRY, KS_METER_USERSPACE_EXIT, kNoExits},
    {"kvm_inj_virq", KS_METER_INTERRUPT, KS_METER_HALT,
     "attached, but halted vCPUs went on and it never fired: this KVM back end, or the hardware "
     "(APICv, AVIC), delivers interrupts without it"},
};

// A vCPU can return to user space without having entered the guest (a signal, immediate_exit), and
// wake without an interrupt (an NMI), so a few prove nothing.
constexpr uint64_t kProof = 64;

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
  static_assert(std::size(kSilences) == kWatched);
  for (size_t i = 0; i < kWatched; ++i) {
    uint64_t proof = 0;
    for (const VmCounts& vm : counts) {
      proof += vm.count[kSilences[i].proof];
      heard_[i] |= vm.count[kSilences[i].meter] != 0;
    }
    silent_[i] = !heard_[i] && (silent_[i] || proof >= kProof);
  }
}

absl::string_view SilenceWatch::Of(absl::string_view hook) const {
  for (size_t i = 0; i < kWatched; ++i) {
    if (silent_[i] && kSilences[i].hook == hook) return kSilences[i].reason;
  }
  return {};
}

std::vector<HookCoverage> ApplySilence(std::vector<HookCoverage> coverage,
                                       const SilenceWatch& silence) {
  for (HookCoverage& hook : coverage) {
    const absl::string_view reason = silence.Of(hook.hook->name);
    if (reason.empty() || hook.coverage != Coverage::kActive) continue;
    hook.coverage = Coverage::kUnobservable;
    hook.reason = std::string(reason);
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
