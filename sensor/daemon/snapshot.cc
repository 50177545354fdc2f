#include "sensor/daemon/snapshot.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sensor/daemon/judge_members.h"
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

VmDetails DetailsOf(const Snapshot& snapshot, const VmEntry& entry) {
  VmDetails details;
  for (const auto& counts : snapshot.counts) counts->Show({entry.facts.id, entry.slot}, &details);
  return details;
}

// What of NOW, by feature, has risen since BEFORE, per second.
std::map<std::string, double> RatesOf(const VmView& now, const VmDetails& before, double seconds) {
  std::map<std::string, double> rates;
  for (const auto& [id, count] : before.counts) {
    const auto later = now.counts.find(std::string(FeatureOf(id).name));
    if (later == now.counts.end() || later->second <= count) continue;
    rates[later->first] = static_cast<double>(later->second - count) / seconds;
  }
  return rates;
}

VmView ViewOf(const Snapshot& snapshot, const Snapshot* before, const Snapshot::Vm& vm) {
  const VmEntry& entry = vm.record->entry;
  const VmDetails details = DetailsOf(snapshot, entry);
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
  view.exited = entry.exited;
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
  if (before != nullptr && snapshot.at > before->at) {
    const double seconds = static_cast<double>(snapshot.at - before->at) / kNsPerSecond;
    view.rates = RatesOf(view, DetailsOf(*before, entry), seconds);
  }
  return view;
}

}  // namespace

void SnapshotBoard::Post(std::shared_ptr<const Snapshot> snapshot) {
  std::shared_ptr<const Snapshot> freed;  // after the lock, unless somebody reads it
  const std::lock_guard lock(mutex_);
  if (next_before_ == nullptr || snapshot->at - next_before_->at >= kNsPerSecond) {
    freed = std::exchange(before_, std::exchange(next_before_, snapshot));
  }
  latest_.swap(snapshot);
}

SnapshotBoard::Two SnapshotBoard::GetTwo() const {
  const std::lock_guard lock(mutex_);
  return {latest_, before_};
}

SensorStatus SnapshotBoard::Status() const {
  const std::shared_ptr<const Snapshot> snapshot = Get();
  SensorStatus status = snapshot->status;
  if (snapshot->coverage == nullptr) return status;
  for (const HookCoverage& hook : snapshot->coverage->hooks) {
    status.hooks.push_back(ViewOf(hook, snapshot->costs));
  }
  for (const SpecView& spec : snapshot->coverage->specs) {
    status.specs.push_back({spec.id, spec.coverage, spec.reason, spec.point});
  }
  return status;
}

std::vector<VmView> SnapshotBoard::Vms(bool with_exits) const {
  const auto [snapshot, before] = GetTwo();
  std::map<VmId, VmView> views;
  for (const Snapshot::Vm& vm : snapshot->vms) {
    views[vm.record->entry.facts.id] = ViewOf(*snapshot, before.get(), vm);
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

std::optional<MembersView> SnapshotBoard::Members(VmId vm) const {
  const std::shared_ptr<const Snapshot> snapshot = Get();
  const auto found = std::ranges::find_if(
      snapshot->vms, [vm](const auto& known) { return known.record->entry.facts.id == vm; });
  if (found == snapshot->vms.end()) return std::nullopt;
  const VmFacts& facts = found->record->entry.facts;
  if (found->members == nullptr) return MembersView{.vm = facts};
  return JudgeMembers(*found->members, facts, *snapshot->library, snapshot->wall, snapshot->at);
}

std::vector<SpecView> SnapshotBoard::Specs() const {
  const std::shared_ptr<const Snapshot> snapshot = Get();
  return snapshot->coverage == nullptr ? std::vector<SpecView>() : snapshot->coverage->specs;
}

}  // namespace kvmsentry
