// Keeps what the programs cost within the budget: when to measure, and what follows from it.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "sensor/base/time.h"
#include "sensor/daemon/cost_guard.h"
#include "sensor/probe/cost_meter.h"

namespace kvmsentry {

// A measurement lasts a tick, and slows every run of a program: two in a hundred are enough. Not
// thread safe.
class CostControl {
 public:
  explicit CostControl(double budget_percent) : budget_(budget_percent), guard_(budget_percent) {}

  enum class Step { kNone, kBegin, kEnd };
  // What to do with the meter at this tick. Asked once a tick while the meter is not in use; the
  // step is due until Began() or Ended() tells that it was done.
  Step Due();

  void Began(const absl::Status& begun);
  // Returns what to detach or attach now.
  CostGuard::Verdict Ended(std::vector<HookCost> costs, KernelTime now);
  // Whether HOOK could be attached again after all.
  void Restored(const Hook& hook, const absl::Status& restored, KernelTime now);

  double budget() const { return budget_; }
  const std::vector<HookCost>& costs() const { return costs_; }  // as of the latest measurement
  const absl::Status& status() const { return status_; }         // why there is none
  std::string Fault() const { return guard_.Fault(); }

 private:
  const double budget_;
  CostGuard guard_;
  std::vector<HookCost> costs_;
  absl::Status status_;
  bool measuring_ = false;
  int ticks_ = 0;  // since the latest measurement ended
};

}  // namespace kvmsentry
