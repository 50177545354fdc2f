// What the pipeline tells of itself.
#include <algorithm>
#include <utility>

#include "sensor/base/load.h"
#include "sensor/daemon/losses.h"
#include "sensor/daemon/pipeline.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

void AddCounts(const VmCounts& counts, std::span<const FeatureId> features, VmView& view) {
  for (const FeatureId id : features) {
    const Feature& feature = FeatureOf(id);
    if (feature.meter) view.counts[std::string(feature.name)] = counts.count[*feature.meter];
  }
}

}  // namespace

SensorStatus Pipeline::Status() const {
  const std::lock_guard lock(mutex_);
  SensorStatus status;
  status.host = options_.host;
  status.version = KVMSENTRY_VERSION;
  status.kernel_release = options_.host.kernel_release;
  status.libbpf_version = LibbpfVersion();
  status.started_at = started_at_;
  status.unobserved = absl::Nanoseconds(unobserved_ns_);
  for (const HookCoverage& hook : CurrentHooks()) {
    HookView& view = status.hooks.emplace_back();
    view = {.name = std::string(hook.hook->name),
            .coverage = hook.coverage,
            .variant = hook.variant,
            .reason = hook.reason,
            .provides = std::string(hook.hook->provides)};
    for (const HookCost& cost : costs_) {
      if (cost.hook != hook.hook || hook.variant.empty()) continue;
      view.cost_percent = cost.percent;
      if (cost.runs != 0) view.ns_per_run = cost.ns_per_run;
    }
  }
  if (!cost_status_.ok()) {
    status.cost_unknown = std::string(cost_status_.message());
  } else if (!costs_.empty()) {
    status.cost_percent = 0;
    for (const HookCost& cost : costs_) *status.cost_percent += cost.percent;
  }
  status.cost_budget_percent = options_.cost_budget;
  status.faults = self_.Open();
  status.losses =
      DescribeLosses(probe_->tables().losses(), {.skipped_runs = probe_->SkippedRuns(),
                                                 .missed_probes = probe_->MissedProbes(),
                                                 .bad_records = bad_records_,
                                                 .unknown_vm = engine_.unknown_vm(),
                                                 .late = engine_.late(),
                                                 .failed_walks = failed_walks_});
  status.vms_unlisted = inventory_.unwatched_count() - inventory_.unwatched().size();
  status.vms_hidden = inventory_.unknown();
  status.pins_recreated = probe_->pins() == Pins::kRecreated;
  status.max_vms = options_.probe.sizes.max_vms;
  status.max_vcpus = options_.probe.sizes.max_vcpus;
  status.ring_bytes = options_.probe.sizes.ring_bytes;
  return status;
}

std::vector<VmView> Pipeline::Vms(bool with_exits) const {
  const std::lock_guard lock(mutex_);
  // Missing is not zero.
  const std::vector<FeatureId> told = ObservableFeatures(CurrentHooks());
  std::vector<VmView> views;
  for (const auto& [id, watched] : vms_) {
    VmView view;
    view.vm = watched.entry.facts;
    view.first_seen = watched.first_seen;
    const ks_vm_row& row = probe_->tables().vms()[watched.entry.slot];
    view.watched = Load(row.incomplete) == 0;
    if (!view.watched) {
      view.unwatched_reason = "some of its vCPUs found no slot: raise --max-vcpus";
    }
    // Asked of the row: the walk may know a VM before its first vCPU, its birth, does.
    view.seen_from_birth = Load(row.born_seen) != 0;
    if (const auto score = engine_.ScoreOf(id)) {
      view.score_millipoints = score->millipoints;
      view.open_alerts = score->open_alerts;
    }
    for (const VmCounts& counts : counts_) {
      if (counts.vm != id) continue;
      view.vcpus = counts.vcpus;
      AddCounts(counts, told, view);
    }
    view.devices = inventory_.DevicesOf(id);
    views.push_back(std::move(view));
  }
  if (with_exits) {
    for (VcpuExits& exits : ReadExits(probe_->tables().vcpus(), probe_->tables().exits())) {
      const auto view = std::ranges::find(views, exits.vm, [](const VmView& v) { return v.vm.id; });
      if (view != views.end()) view->exits.push_back(std::move(exits));
    }
  }
  for (const UnwatchedVm& unwatched : inventory_.unwatched()) {
    VmView view;
    view.vm.pid = unwatched.pid;
    view.vm.name = unwatched.name;
    view.unwatched_reason = unwatched.has_vcpu
                                ? "no slot was left for it: raise --max-vms or --max-vcpus"
                                : "no slot was left for it, or it has no vCPU yet";
    view.devices = inventory_.DevicesOf(unwatched);
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<SpecView> Pipeline::Specs() const {
  const std::lock_guard lock(mutex_);
  const std::vector<HookCoverage> hooks = CurrentHooks();
  std::vector<SpecView> views;
  for (const Spec& spec : library_->specs()) {
    FeatureCoverage coverage = CoverageOf(spec, hooks);
    const Feature& feature = FeatureOf(spec.feature);
    views.push_back({.id = spec.id,
                     .point = spec.point,
                     .feature = std::string(feature.name),
                     .severity = spec.severity,
                     .norm_text = spec.norm_text,
                     .selector_text = spec.selector_text,
                     .coverage = coverage.coverage,
                     .reason = std::move(coverage.reason),
                     .occurrences = std::string(feature.noun),
                     .hooks = {feature.hooks.begin(), feature.hooks.end()},
                     .weight = spec.weight,
                     .why = spec.why,
                     .look_at = spec.look_at});
  }
  return views;
}

std::vector<HookCoverage> Pipeline::CurrentHooks() const {
  return ApplySilence(probe_->coverage(), silence_);
}

}  // namespace kvmsentry
