#include "sensor/daemon/coverage.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

// A hook that may stay silent, and what cannot go on for long without it.
struct Silence {
  absl::string_view hook;
  ks_kvm_meter meter;
  ks_kvm_meter proof;
  absl::string_view reason;
  Lack lack;
};
constexpr char kNoExits[] =
    "attached, but vCPUs ran and it never fired: this KVM back end does not raise it";
constexpr Silence kSilences[] = {
    {"kvm_exit", KS_METER_EXIT, KS_METER_USERSPACE_EXIT, kNoExits, Lack::kFailed},
    {"kvm_entry", KS_METER_ENTRY, KS_METER_USERSPACE_EXIT, kNoExits, Lack::kFailed},
    {"kvm_inj_virq", KS_METER_INTERRUPT, KS_METER_HALT,
     "attached, but halted vCPUs continued and it never fired: this KVM back end, or the hardware "
     "(APICv, AVIC), delivers interrupts without it",
     Lack::kNotApplicable},
};

// A vCPU can return to user space without having entered the guest (a signal, immediate_exit), and
// wake without an interrupt (an NMI), so a few prove nothing. Nor do a few that were heard:
// firmware takes some interrupts in ways that no hardware helps with.
constexpr uint64_t kProof = 64;
constexpr uint64_t kShare = 8;

// The hooks that say which VM there is, and what is in doubt without them.
struct Identity {
  absl::string_view hook;
  absl::string_view doubt;
};
constexpr Identity kIdentity[] = {
    {"kvm_track_tsc", "an address that is used again may be taken for the VM before"},
    {"task_file", "VMs are neither named nor found dead"},
};

// A count that somebody set back is another alert's business.
uint64_t Since(uint64_t before, uint64_t now) { return now - std::min(now, before); }

const HookCoverage* Find(std::span<const HookCoverage> hooks, absl::string_view name) {
  const auto found =
      std::ranges::find_if(hooks, [name](const HookCoverage& h) { return h.hook->name == name; });
  return found == hooks.end() ? nullptr : &*found;
}

}  // namespace

void SilenceWatch::Begin(std::span<const KvmCounts> counts) {
  bases_.clear();
  for (const KvmCounts& vm : counts) {
    for (size_t i = 0; i < kWatched; ++i) {
      bases_[vm.vm][i] = {vm.count[kSilences[i].meter], vm.count[kSilences[i].proof]};
    }
  }
}

void SilenceWatch::Observe(std::span<const KvmCounts> counts) {
  static_assert(std::size(kSilences) == kWatched);
  for (size_t i = 0; i < kWatched; ++i) {
    bool silent = false;
    bool heard = false;
    for (const KvmCounts& vm : counts) {
      const auto base = bases_.find(vm.vm);
      const Base before = base == bases_.end() ? Base{} : base->second[i];
      const uint64_t proof = Since(before.proof, vm.count[kSilences[i].proof]);
      const uint64_t told = Since(before.told, vm.count[kSilences[i].meter]);
      if (proof < kProof && told < kProof) continue;  // it has done too little
      (told < proof / kShare ? silent : heard) = true;
    }
    if (silent || heard) silences_[i] = {silent && !heard, silent && heard};
  }
}

Coverage SilenceWatch::Of(absl::string_view hook) const {
  for (size_t i = 0; i < kWatched; ++i) {
    if (kSilences[i].hook != hook) continue;
    if (silences_[i].for_all) return Coverage::kUnobservable;
    if (silences_[i].for_some) return Coverage::kDegraded;
  }
  return Coverage::kActive;
}

std::vector<HookCoverage> ApplySilence(std::vector<HookCoverage> coverage,
                                       const SilenceWatch& silence) {
  for (HookCoverage& hook : coverage) {
    const Coverage found = silence.Of(hook.hook->name);
    if (found == Coverage::kActive || !Works(hook.coverage)) continue;
    hook.coverage = found;
    const Silence& found_silent = *std::ranges::find(kSilences, hook.hook->name, &Silence::hook);
    hook.reason = std::string(found_silent.reason);
    hook.lack = found_silent.lack;
    if (found == Coverage::kDegraded) absl::StrAppend(&hook.reason, "; so with some VMs");
  }
  return coverage;
}

std::vector<HookCoverage> ApplySights(std::vector<HookCoverage> coverage,
                                      std::span<const FileSight> sights) {
  for (const FileSight& sight : sights) {
    const auto hook = std::ranges::find_if(
        coverage, [&](const HookCoverage& h) { return h.hook->name == sight.hook; });
    if (hook == coverage.end() || !Works(hook->coverage)) continue;
    hook->coverage = Coverage::kActive;
    if (sight.lacks.empty()) continue;
    hook->coverage = sight.of_some ? Coverage::kDegraded : Coverage::kUnobservable;
    hook->reason = sight.lacks;
    hook->lack = Lack::kNotApplicable;
  }
  return coverage;
}

FeatureCoverage CoverageOf(const Feature& feature, std::span<const HookCoverage> hooks) {
  std::vector<std::string> reasons;
  bool gives = false;
  bool fired = false;
  for (const absl::string_view name : feature.hooks) {
    const HookCoverage* hook = Find(hooks, name);
    if (hook == nullptr) {
      reasons.push_back(absl::StrCat("no hook ", name, " in this sensor"));
    } else if (!Works(hook->coverage)) {
      reasons.push_back(absl::StrCat(name, ": ", hook->reason));
    }
    gives |= hook != nullptr && hook->coverage != Coverage::kUnobservable;
    fired |= hook != nullptr && hook->coverage == Coverage::kActive;
  }
  fired |= feature.hooks.begin() == feature.hooks.end();  // it needs none
  if (reasons.empty()) return {fired ? Coverage::kActive : Coverage::kAttached, ""};
  return {gives ? Coverage::kDegraded : Coverage::kUnobservable, absl::StrJoin(reasons, "; ")};
}

std::vector<FeatureId> ObservableFeatures(std::span<const HookCoverage> hooks) {
  std::vector<FeatureId> features;
  for (const Feature& feature : Catalogue()) {
    if (CoverageOf(feature, hooks).coverage == Coverage::kUnobservable) continue;
    features.push_back(feature.id);
  }
  return features;
}

FeatureCoverage CoverageOf(const Spec& spec, std::span<const HookCoverage> hooks) {
  FeatureCoverage coverage = CoverageOf(FeatureOf(spec.feature), hooks);
  if (coverage.coverage == Coverage::kUnobservable) return coverage;
  for (const auto& [identity, doubt] : kIdentity) {
    const HookCoverage* other = Find(hooks, identity);
    if (other == nullptr || Works(other->coverage)) continue;
    coverage.coverage = Coverage::kDegraded;
    absl::StrAppend(&coverage.reason, coverage.reason.empty() ? "" : "; ", identity, ": ",
                    other->reason, "; ", doubt);
  }
  return coverage;
}

}  // namespace kvmsentry
