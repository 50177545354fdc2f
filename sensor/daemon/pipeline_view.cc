// What the pipeline tells of itself.
#include <algorithm>
#include <utility>

#include "sensor/daemon/losses.h"
#include "sensor/daemon/pipeline.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
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
  for (const std::unique_ptr<Source>& source : sources_->all()) {
    for (const Loss& loss : source->Losses()) AddLoss(loss, &status.losses);
  }
  for (const LossView& loss : DescribeLosses({.skipped_runs = sources_->probe().SkippedRuns(),
                              .missed_probes = sources_->probe().MissedProbes(),
                              .bad_records = bad_records_,
                              .unknown_vm = engine_.unknown_vm(),
                              .late = engine_.late(),
                              .failed_walks = failed_walks_})) {
    status.losses.push_back(loss);
  }
  status.vms_unlisted = inventory_.unwatched_count() - inventory_.unwatched().size();
  status.vms_hidden = inventory_.unknown();
  status.pins_recreated = sources_->probe().pins() == Pins::kRecreated;
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
    VmDetails details;
    for (const std::unique_ptr<Source>& source : sources_->all()) {
      source->Show({id, watched.entry.slot}, with_exits, &details);
    }
    view.watched = !details.incomplete;
    if (!view.watched) {
      view.unwatched_reason = "some of its vCPUs found no slot: raise --max-vcpus";
    }
    view.seen_from_birth = details.born_seen.value_or(false);
    view.vcpus = details.vcpus;
    view.exits = std::move(details.exits);
    for (const FeatureId feature : told) {
      const auto count = details.counts.find(std::string(FeatureOf(feature).name));
      if (count != details.counts.end()) view.counts.insert(*count);
    }
    if (const auto score = engine_.ScoreOf(id)) {
      view.score_millipoints = score->millipoints;
      view.open_alerts = score->open_alerts;
    }
    view.devices = inventory_.DevicesOf(id);
    views.push_back(std::move(view));
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
  return ApplySilence(sources_->probe().coverage(), silence_);
}

}  // namespace kvmsentry
