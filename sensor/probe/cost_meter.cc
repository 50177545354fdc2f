#include "sensor/probe/cost_meter.h"

#include <algorithm>
#include <cerrno>

#include <bpf/bpf.h>

namespace kvmsentry {

absl::Status CostMeter::Begin(const Probe& probe, KernelTime now) {
  statistics_ = Fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!statistics_) {
    return absl::ErrnoToStatus(errno, "this kernel reports no run times of BPF programs");
  }
  began_ = now;
  before_ = probe.Runs();
  return absl::OkStatus();
}

std::vector<HookCost> CostMeter::End(const Probe& probe, KernelTime now) {
  std::vector<HookCost> costs;
  for (const HookRuns& after : probe.Runs()) {
    const auto before = std::ranges::find(before_, after.hook, &HookRuns::hook);
    if (before == before_.end()) continue;
    HookCost& cost = costs.emplace_back();
    cost.hook = after.hook;
    cost.optional = after.optional;
    cost.runs = after.runs - before->runs;
    const auto ns = static_cast<double>(after.ns - before->ns);
    if (cost.runs != 0) cost.ns_per_run = ns / static_cast<double>(cost.runs);
    const double elapsed = static_cast<double>(now - began_) * processors_;
    if (elapsed > 0) cost.percent = 100 * ns / elapsed;
  }
  statistics_ = Fd();
  return costs;
}

}  // namespace kvmsentry
