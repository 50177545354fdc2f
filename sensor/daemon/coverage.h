// What of the method works on this host. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "sensor/probe/hooks.h"
#include "sensor/record/sampler.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// Some KVM back ends have tracepoints that they never raise: a hook there attaches and then stays
// silent for ever. That shows once something was counted that cannot be without it: kvm_pvm knows
// no exits and entries, and where the hardware delivers interrupts itself (APICv, AVIC), KVM
// injects none.
class SilenceWatch {
 public:
  // COUNTS are those of all VMs that live. What was found is kept until the hook fires after all.
  void Observe(std::span<const VmCounts> counts);
  // Why HOOK says nothing here; empty as long as it may.
  absl::string_view Of(absl::string_view hook) const;

 private:
  static constexpr size_t kWatched = 3;
  std::array<bool, kWatched> heard_{};
  std::array<bool, kWatched> silent_{};
};

// COVERAGE with hooks that stay silent marked so.
std::vector<HookCoverage> ApplySilence(std::vector<HookCoverage> coverage,
                                       const SilenceWatch& silence);

struct SpecCoverage {
  Coverage coverage = Coverage::kUnknown;
  std::string reason;  // why not ACTIVE
};

// Of a spec: that of the hook that gives its feature; DEGRADED where that works, but one that says
// which VM there is does not.
SpecCoverage CoverageOf(const Spec& spec, std::span<const HookCoverage> hooks);

}  // namespace kvmsentry
