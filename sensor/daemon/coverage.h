// What of the method works on this host. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sensor/probe/hooks.h"
#include "sensor/source/kvm/counts.h"
#include "sensor/source/source.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// Some KVM back ends have tracepoints that they never raise: a hook there attaches and then stays
// silent for ever. That shows once something was counted that cannot be without it: kvm_pvm knows
// no exits and entries, and where the hardware delivers interrupts itself (APICv, AVIC), KVM
// injects few or none. KVM chooses that for each VM, so it is judged for each.
class SilenceWatch {
 public:
  // Hooks were just attached: only what is counted from now on, COUNTS are that of now, is judged.
  // What was found is kept until then.
  void Begin(std::span<const KvmCounts> counts);
  // COUNTS are those of all VMs that live. What was found is kept while none has done enough to be
  // judged.
  void Observe(std::span<const KvmCounts> counts);
  // ACTIVE, DEGRADED where HOOK is silent for some VMs, UNOBSERVABLE where it is for all.
  Coverage Of(absl::string_view hook) const;

 private:
  struct Found {
    bool for_all = false;
    bool for_some = false;
  };
  static constexpr size_t kWatched = 3;
  std::array<Found, kWatched> silences_{};
  struct Base {
    uint64_t told = 0;
    uint64_t proof = 0;
  };
  std::map<VmId, std::array<Base, kWatched>> bases_;
};

// COVERAGE with hooks that stay silent marked so.
std::vector<HookCoverage> ApplySilence(std::vector<HookCoverage> coverage,
                                       const SilenceWatch& silence);

// COVERAGE with hooks that are files marked by what SIGHTS say of them: ACTIVE where all VMs have
// the file, DEGRADED where some have, UNOBSERVABLE where none has.
std::vector<HookCoverage> ApplySights(std::vector<HookCoverage> coverage,
                                      std::span<const FileSight> sights);

struct FeatureCoverage {
  Coverage coverage = Coverage::kUnknown;
  std::string reason;  // why not ACTIVE
};

// DEGRADED where only some of the hooks that give it work; ACTIVE once one of them has fired.
FeatureCoverage CoverageOf(const Feature& feature, std::span<const HookCoverage> hooks);

// Those that are not UNOBSERVABLE.
std::vector<FeatureId> ObservableFeatures(std::span<const HookCoverage> hooks);

// Of a spec: that of its feature; DEGRADED, too, where a hook that says which VM there is does not
// work.
FeatureCoverage CoverageOf(const Spec& spec, std::span<const HookCoverage> hooks);

}  // namespace kvmsentry
