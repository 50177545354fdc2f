// What the sensor shows of itself: the snapshot of each tick.
#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"

#include "sensor/base/load.h"
#include "sensor/daemon/losses.h"
#include "sensor/daemon/sensor.h"
#include "sensor/probe/bpf_object.h"

namespace kvmsentry {
namespace {

// How long nobody watched: from the last heartbeat of an earlier run to now.
absl::Duration Unobserved(const SharedState& state, KernelTime now) {
  // 0 in maps that were just made.
  const auto beat = static_cast<int64_t>(Load(state.row().heartbeat_ns));
  const bool gap = beat != 0 && beat < now.ns;
  return absl::Nanoseconds(gap ? now.ns - beat : 0);
}

}  // namespace

SensorStatus Sensor::BaseStatus(const SensorOptions& options) const {
  SensorStatus status;
  status.host = options.host;
  status.version = KVMSENTRY_VERSION;
  status.kernel_release = options.host.kernel_release;
  status.libbpf_version = LibbpfVersion();
  status.started_at = clock_.WallNow();
  status.unobserved = Unobserved(sources_->state(), clock_.Now());
  status.pins_recreated_because = absl::StrJoin(sources_->probe().recreated(), "; ");
  status.cost_budget_percent = options.cost_budget;
  status.max_vms = options.probe.sizes.max_vms;
  status.max_vcpus = options.probe.sizes.max_vcpus;
  status.ring_bytes = options.probe.sizes.ring_bytes;
  return status;
}

std::vector<LossView> Sensor::Losses() {
  std::vector<LossView> losses;
  for (const std::unique_ptr<Source>& source : sources_->all()) {
    for (const Loss& loss : source->Losses()) AddLoss(loss, &losses);
  }
  for (LossView& loss : DescribeLosses({.skipped_runs = keeper_.skipped_runs().vms,
                        .skipped_anybodys = keeper_.skipped_runs().anybodys,
                        .missed_probes = keeper_.missed_probes(),
                        .bad_records = observer_.bad_records(),
                        .unknown_vm = engine_.unknown_vm(),
                        .late = engine_.late(),
                        .failed_walks = host_.failed_walks(),
                        .late_ticks = late_ticks_,
                        .things_refused = sources_->kvm().things_refused(),
                        .refused = publisher_.refused(),
                        .unwritten = hub_.journal().state().unwritten})) {
    losses.push_back(std::move(loss));
  }
  recent_losses_.Mark(losses, clock_.Now());
  return losses;
}

void Sensor::PostSnapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  SensorStatus& status = snapshot->status;
  status = base_status_;
  const CostControl& cost = keeper_.cost();
  if (!cost.status().ok()) {
    status.cost_unknown = std::string(cost.status().message());
  } else if (!cost.costs().empty()) {
    status.cost_percent = 0;
    for (const HookCost& hook : cost.costs()) *status.cost_percent += hook.percent;
  }
  status.faults = self_.watch().Open();
  status.library = specs_->view();
  status.losses = Losses();
  const Inventory& inventory = host_.inventory();
  const auto incomplete = static_cast<uint64_t>(std::ranges::count_if(
      sources_->kvm().vms(),
      [this](const KvmCounts& vm) { return vm.incomplete && registry_.Knows(vm.vm); }));
  status.vms_watched = registry_.records().size() - incomplete;
  status.vms_unwatched = inventory.unwatched_count() + incomplete;
  status.vms_hidden = inventory.unknown();
  snapshot->at = clock_.Now();
  snapshot->wall = clock_.WallNow();
  snapshot->library = library_;
  snapshot->coverage = coverage_.view();
  snapshot->costs = cost.costs();
  snapshot->counts = observer_.Counts();
  snapshot->unwatched = host_.unwatched();
  snapshot->vms.reserve(registry_.records().size());
  for (const auto& [id, record] : registry_.records()) {
    Snapshot::Vm& vm = snapshot->vms.emplace_back();
    vm.record = record;
    vm.members = observer_.members().Of(id);
    if (const auto score = engine_.ScoreOf(id)) {
      vm.score_millipoints = score->millipoints;
      vm.open_alerts = score->open_alerts;
    }
  }
  snapshots_.Post(std::move(snapshot));
}

}  // namespace kvmsentry
