// What must be done to the host now and then and may block: each is a job of one worker, the most
// urgent first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sensor/base/clock.h"
#include "sensor/daemon/cost_control.h"
#include "sensor/daemon/coverage_board.h"
#include "sensor/daemon/hook_proof.h"
#include "sensor/daemon/host_watch.h"
#include "sensor/daemon/self_check.h"
#include "sensor/daemon/settle.h"
#include "sensor/daemon/worker.h"
#include "sensor/source/registry.h"

namespace kvmsentry {

// Whatever changes the probe's hooks runs on the worker, so the worker alone uses them; the loop
// has tables and ring. Not thread safe, but for what its jobs do.
class Housekeeper {
 public:
  // All outlive it.
  Housekeeper(Sources& sources, HostWatch& host, CoverageBoard& coverage, SelfCheck& self,
              HookProof& proof, const Clock& clock, double cost_budget,
              std::unique_ptr<Worker> worker);

  int fd() const { return worker_->fd(); }

  // Hands over what was found, and starts a walk if one is due.
  void OnWake();
  // The same, and starts whatever else is due. OTHER is what a worker runs that is not its own.
  void OnTick(KernelTime now, const std::optional<Worker::Running>& other);

  // Of this worker and the one that reads names, what has been running longest.
  std::optional<Worker::Running> LongestJob() const {
    return LongerOf(worker_->running(), host_.naming());
  }

  const CostControl& cost() const { return cost_; }
  const Probe::Skipped& skipped_runs() const { return skipped_runs_; }
  uint64_t missed_probes() const { return missed_probes_; }  // see Probe::MissedProbes()

 private:
  void StartAttaching();
  void Attached(const std::string& source, const absl::StatusOr<size_t>& count);
  void StartProof();
  bool StartCostStep();
  void StartAudit(KernelTime now);
  void Obey(const CostGuard::Verdict& verdict);

  Sources& sources_;
  Probe& probe_;
  HostWatch& host_;
  CoverageBoard& coverage_;
  SelfCheck& self_;
  HookProof& proof_;
  const Clock& clock_;
  CostMeter meter_;  // the worker's
  CostControl cost_;
  Probe::Skipped skipped_runs_;
  uint64_t missed_probes_ = 0;
  // Modules come in company, and the best variant may be offered by the last of them only.
  Settle modules_{500 * kNsPerMs, 5 * kNsPerSecond};
  bool list_missing_ = false;           // to_attach_ is to be filled
  std::vector<std::string> to_attach_;  // sources that are still to be tried
  bool prove_ = false;                  // hooks came that the canary VM can prove
  KernelTime audit_at_;
  std::unique_ptr<Worker> worker_;  // the last: its thread uses the above
};

}  // namespace kvmsentry
