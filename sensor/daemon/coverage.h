// What of the method works on this host. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sensor/probe/hooks.h"
#include "sensor/record/sampler.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// Some KVM back ends (kvm_pvm) have the tracepoints of exits and entries, but never raise them: a
// hook there attaches and then stays silent for ever. That shows once vCPUs have run.
struct BackEndSilence {
  bool exits = false;
  bool entries = false;
};

// Finds it out, and keeps it once proven: until an exit, or an entry, is counted after all.
class SilenceWatch {
 public:
  // COUNTS are those of all VMs that live.
  void Observe(std::span<const VmCounts> counts);
  BackEndSilence silence() const { return silence_; }

 private:
  bool exits_seen_ = false;
  bool entries_seen_ = false;
  BackEndSilence silence_;
};

// COVERAGE with hooks that stay silent marked so.
std::vector<HookCoverage> ApplySilence(std::vector<HookCoverage> coverage, BackEndSilence silence);

struct SpecCoverage {
  Coverage coverage = Coverage::kUnknown;
  std::string reason;  // why not ACTIVE
};

// Of a spec: that of the hook that gives its feature; DEGRADED where that works, but one that says
// which VM there is does not.
SpecCoverage CoverageOf(const Spec& spec, std::span<const HookCoverage> hooks);

}  // namespace kvmsentry
