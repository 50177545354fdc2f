#include "sensor/probe/cost_meter.h"

#include <algorithm>

namespace kvmsentry {

absl::Status CostMeter::Begin(Probe& probe, KernelTime now) {
  KVMSENTRY_ASSIGN_OR_RETURN(statistics_, probe.CountRunTimes());
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
