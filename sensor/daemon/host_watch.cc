#include "sensor/daemon/host_watch.h"

#include <algorithm>
#include <utility>

#include "spdlog/spdlog.h"

namespace kvmsentry {
namespace {

// VMs that have ended must not take the place of those that live.
size_t MostExited(const Probe& probe) {
  return std::min<size_t>(Inventory::kMaxExited, probe.sizes().max_vms / 8);
}

}  // namespace

HostWatch::HostWatch(const Probe& probe, UeventSocket uevents, std::unique_ptr<Worker> names,
                     const Clock& clock, std::function<void()> look, Inventory::LivesOn lives_on)
    : clock_(clock),
      look_(std::move(look)),
      uevents_(std::move(uevents)),
      walker_(probe, &proc_, clock),
      names_survey_(&names_proc_),
      inventory_(&processes_, std::move(lives_on), MostExited(probe)),
      unwatched_views_(std::make_shared<const std::vector<VmView>>()),
      names_(std::move(names)) {}

void HostWatch::TakeUevents() {
  const absl::StatusOr<UeventBatch> batch = uevents_.Read();
  if (!batch.ok()) {
    inventory_.OnUeventsLost();
    ++uevents_seen_;
    if (std::exchange(uevents_ok_, false)) {
      spdlog::error("deaths of VMs are noticed late: {}", std::string(batch.status().message()));
    }
    return;
  }
  uevents_ok_ = true;
  if (batch->overrun) inventory_.OnUeventsLost();
  for (const KvmUevent& event : batch->events) inventory_.OnUevent(event);
  modules_loaded_ |= batch->overrun || batch->module_loaded;
  if (!batch->overrun && batch->events.empty()) return;
  ++uevents_seen_;
  RequestWalk();
}

InventoryChanges HostWatch::Look(const std::vector<ks_vm_row>& rows) {
  const KernelTime now = clock_.Now();
  processes_.Begin(now);
  InventoryChanges changes;
  if (walk_) {
    const Walk walk = walk_->ToWalk();
    changes = inventory_.Sync(rows, &walk, now);
    if (inventory_.hidden() != 0) walks_.Doubt();
    given_ = std::move(walk_->given);
    walk_.reset();
    ++walks_seen_;
    ListUnwatched();
  } else {
    changes = inventory_.Sync(rows, nullptr, now);
  }
  processes_.End();
  return changes;
}

bool HostWatch::StartWalk(Worker& host) {
  if (host.running() || !walker_.CanWalk() || walks_.Due() > clock_.Now()) return false;
  // KVM's latest count audits the walk, which begins at once: the worker is idle.
  TakeUevents();
  inventory_.BeginWalk();
  host.Start(
      "walking over open files", [this] { return walker_.Walk(); },
      [this](HostWalkResult walk) {
        TakeWalk(std::move(walk));
        look_();
      });
  return true;
}

void HostWatch::WalkNow() {
  if (!walker_.CanWalk()) return;
  TakeUevents();
  inventory_.BeginWalk();
  TakeWalk(walker_.Walk());
  look_();
  const std::vector<int32_t> wanted = processes_.Wanted();
  if (wanted.empty()) return;
  processes_.Answer(walker_.Ask(wanted));
  look_();
}

void HostWatch::TakeWalk(HostWalkResult walk) {
  TakeUevents();  // who died meanwhile
  walks_.Walked(walk.begin, walk.end);
  processes_.Answer(std::move(walk.processes));
  if (walk.failures != 0 && failed_walks_ == 0) {
    spdlog::error("names, deaths or devices of VMs are reported late: {}",
                  std::string(walk.first_failure.message()));
  }
  failed_walks_ += walk.failures;
  if (walk.whole) {
    walk_ = std::move(walk);
  } else {
    walks_.Doubt();
  }
}

void HostWatch::AskNames() {
  if (names_->running()) return;
  std::vector<int32_t> wanted = processes_.Wanted();
  if (wanted.empty()) return;
  names_->Start(
      "reading /proc of VMMs",
      [this, wanted = std::move(wanted)] { return names_survey_.Ask(wanted, clock_.Now()); },
      [this](ProcessAnswers answers) {
        processes_.Answer(std::move(answers));
        look_();
      });
}

void HostWatch::ListUnwatched() {
  auto views = std::make_shared<std::vector<VmView>>();
  for (const UnwatchedVm& vm : inventory_.unwatched()) {
    VmView& view = views->emplace_back();
    view.vm.pid = vm.pid;
    view.vm.name = vm.name;
    view.vm.given_name = vm.name;
    view.unwatched_reason = vm.has_vcpu ? "no slot was left for it: raise --max-vms or --max-vcpus"
                                        : "no slot was left for it, or it has no vCPU yet";
    view.devices = inventory_.DevicesOf(vm);
  }
  unwatched_views_ = std::move(views);
}

}  // namespace kvmsentry
