#include "sensor/source/resource/progress.h"

#include <algorithm>

namespace kvmsentry {
namespace {

// A vCPU that a pass finds asleep in its VMM may be there for a moment only, as at each access to a
// device: only one that did not run at all since the last pass sleeps there.
bool Sleeps(const VcpuSeen& vcpu) {
  return vcpu.state == KS_VCPU_OUTSIDE && vcpu.ran_ns == 0 && vcpu.exits == 0;
}

bool Works(const VcpuSeen& vcpu) {
  return vcpu.state == KS_VCPU_RUNNING || vcpu.state == KS_VCPU_WAITING;
}

// Its thread works, and has not been in the guest since the last pass: it would have left that.
bool Spins(const VcpuSeen& vcpu) {
  return Works(vcpu) && vcpu.outside && vcpu.ran_ns != 0 && vcpu.exits == 0;
}

bool Runs(const VcpuSeen& vcpu) { return !Spins(vcpu) && (Works(vcpu) || vcpu.exits != 0); }

VcpuProgress Of(const VcpuSeen& vcpu, bool others_run) {
  if (Spins(vcpu)) return VcpuProgress::kStuck;
  switch (vcpu.state) {
    case KS_VCPU_RUNNING:
      return VcpuProgress::kRunning;
    case KS_VCPU_WAITING:
      return VcpuProgress::kWaiting;
    case KS_VCPU_HALTED:
      return VcpuProgress::kHalted;
    case KS_VCPU_OUTSIDE:
      if (!Sleeps(vcpu)) return VcpuProgress::kRunning;
      return others_run ? VcpuProgress::kStuck : VcpuProgress::kPaused;
    case KS_VCPU_BLOCKED:
      return VcpuProgress::kBlocked;
    case KS_VCPU_STOPPED:
      return VcpuProgress::kStopped;
    default:
      return VcpuProgress::kUnknown;
  }
}

}  // namespace

std::vector<VcpuProgress> ProgressOf(std::span<const VcpuSeen> vcpus) {
  const auto running = std::ranges::count_if(vcpus, Runs);
  std::vector<VcpuProgress> all;
  all.reserve(vcpus.size());
  for (const VcpuSeen& vcpu : vcpus) all.push_back(Of(vcpu, running > (Runs(vcpu) ? 1 : 0)));
  return all;
}

}  // namespace kvmsentry
