#include "sensor/daemon/snapshot.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

HookView ViewOf(const HookCoverage& hook, std::span<const HookCost> costs) {
  HookView view = {.name = std::string(hook.hook->name),
                   .coverage = hook.coverage,
                   .variant = hook.variant,
                   .reason = hook.reason,
                   .provides = std::string(hook.hook->provides),
                   .lack = hook.lack};
  for (const HookCost& cost : costs) {
    if (cost.hook != hook.hook || hook.variant.empty()) continue;
    view.cost_percent = cost.percent;
    if (cost.runs != 0) view.ns_per_run = cost.ns_per_run;
  }
  return view;
}

VmView ViewOf(const Snapshot& snapshot, const Snapshot::Vm& vm) {
  const VmEntry& entry = vm.record->entry;
  VmDetails details;
  for (const auto& counts : snapshot.counts) counts->Show({entry.facts.id, entry.slot}, &details);
  VmView view;
  view.vm = entry.facts;
  view.first_seen = vm.record->first_seen;
  view.vcpus = details.vcpus;
  view.watched = !details.incomplete;
  if (!view.watched) {
    view.unwatched_reason = "some of its vCPUs found no slot: raise --max-vcpus";
  }
  view.seen_from_birth = details.born_seen && vm.record->born_here;
  view.score_millipoints = vm.score_millipoints;
  view.open_alerts = vm.open_alerts;
  view.devices = *vm.record->devices;
  view.given = vm.record->given;
  view.given_changed_at = vm.record->given_changed_at;
  view.mapped = details.mapped;
  // Missing is not zero: only of features that are told.
  if (snapshot.coverage == nullptr) return view;
  for (const FeatureId id : snapshot.coverage->told) {
    const auto count = details.counts.find(id);
    if (count == details.counts.end()) continue;
    view.counts[std::string(FeatureOf(id).name)] = count->second;
  }
  for (const auto& [id, level] : details.levels) {
    view.levels[std::string(FeatureOf(id).name)] = level;
  }
  return view;
}

}  // namespace

void SnapshotBoard::Post(std::shared_ptr<const Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  latest_.swap(snapshot);  // the one before is freed after the lock, unless somebody reads it
}

std::shared_ptr<const Snapshot> SnapshotBoard::Get() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

SensorStatus SnapshotBoard::Status() const {
  const std::shared_ptr<const Snapshot> snapshot = Get();
  SensorStatus status = snapshot->status;
  if (snapshot->coverage == nullptr) return status;
  for (const HookCoverage& hook : snapshot->coverage->hooks) {
    status.hooks.push_back(ViewOf(hook, snapshot->costs));
  }
  for (const SpecView& spec : snapshot->coverage->specs) {
    status.specs.push_back({spec.id, spec.coverage, spec.reason});
  }
  return status;
}

std::vector<VmView> SnapshotBoard::Vms(bool with_exits) const {
  const std::shared_ptr<const Snapshot> snapshot = Get();
  std::map<VmId, VmView> views;
  for (const Snapshot::Vm& vm : snapshot->vms) {
    views[vm.record->entry.facts.id] = ViewOf(*snapshot, vm);
  }
  if (with_exits) {
    for (VcpuExits& exits : exits_()) {
      const auto view = views.find(exits.vm);
      if (view != views.end()) view->second.exits.push_back(std::move(exits));
    }
  }
  std::vector<VmView> all;
  for (auto& [id, view] : views) all.push_back(std::move(view));
  if (snapshot->unwatched != nullptr) {
    all.insert(all.end(), snapshot->unwatched->begin(), snapshot->unwatched->end());
  }
  return all;
}

std::vector<SpecView> SnapshotBoard::Specs() const {
  const std::shared_ptr<const Snapshot> snapshot = Get();
  return snapshot->coverage == nullptr ? std::vector<SpecView>() : snapshot->coverage->specs;
}

}  // namespace kvmsentry
