// Which VMs there are, asked of the host without waiting for it: uevents, the VM table, and what
// workers find in walks and in /proc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bpf/kvm/records.h"
#include "sensor/base/clock.h"
#include "sensor/daemon/host_walk.h"
#include "sensor/daemon/process_survey.h"
#include "sensor/daemon/worker.h"
#include "sensor/inventory/inventory.h"
#include "sensor/inventory/uevent.h"
#include "sensor/inventory/walk_schedule.h"
#include "sensor/rpc/sensor_view.h"

namespace kvmsentry {

// Not thread safe, but for what its jobs do.
class HostWatch {
 public:
  // PROBE and CLOCK outlive it. LOOK has the caller look at the rows now (Look): workers found
  // something that it may bring to light. LIVES_ON is the inventory's.
  HostWatch(const Probe& probe, UeventSocket uevents, std::unique_ptr<Worker> names,
            const Clock& clock, std::function<void()> look, Inventory::LivesOn lives_on);

  int uevent_fd() const { return uevents_.fd(); }
  int names_fd() const { return names_->fd(); }

  // What has come until now.
  void TakeUevents();
  // Whether modules of KVM, vhost or VFIO may have been loaded since the last call.
  bool TakeModulesLoaded() { return std::exchange(modules_loaded_, false); }
  // A VM was born, or may have been: a walk that begins later would show it.
  void RequestWalk() { walks_.Request(clock_.Now()); }

  // A look at the VM table, with the walk that was made since the last one, if there was one.
  InventoryChanges Look(const std::vector<ks_vm_row>& rows);

  // Starts a walk on HOST if one is due, and if HOST is idle. Returns whether it did.
  bool StartWalk(Worker& host);
  // Waits for a walk and for all names: only before the loop runs.
  void WalkNow();
  // Hands over names that were found, and asks for those that looks missed.
  void FinishNames() { names_->Finish(); }
  void AskNames();

  const Inventory& inventory() const { return inventory_; }
  // What VMs were given, by the process that has them, at the latest walk that was looked at.
  const GivenRecords& given() const { return given_; }
  // The unwatched VMs, as views; changes with walks only.
  const std::shared_ptr<const std::vector<VmView>>& unwatched() const { return unwatched_views_; }
  // Counts Look()s with a walk.
  uint64_t walks_seen() const { return walks_seen_; }
  uint64_t uevents_seen() const { return uevents_seen_; }  // of KVM, and overruns of them
  uint64_t failed_walks() const { return failed_walks_; }
  const std::optional<Worker::Running>& naming() const { return names_->running(); }

 private:
  void TakeWalk(HostWalkResult walk);
  void ListUnwatched();

  const Clock& clock_;
  const std::function<void()> look_;
  UeventSocket uevents_;
  bool uevents_ok_ = true;
  bool modules_loaded_ = false;
  ProcFs proc_;
  HostWalker walker_;
  ProcFs names_proc_;
  ProcessSurvey names_survey_;
  ProcessBoard processes_;
  Inventory inventory_;
  GivenRecords given_;
  WalkSchedule walks_;
  std::optional<HostWalkResult> walk_;  // not looked at yet
  uint64_t walks_seen_ = 0;
  uint64_t uevents_seen_ = 0;
  uint64_t failed_walks_ = 0;
  std::shared_ptr<const std::vector<VmView>> unwatched_views_;
  std::unique_ptr<Worker> names_;  // the last: its thread uses the above
};

}  // namespace kvmsentry
