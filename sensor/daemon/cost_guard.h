// Keeps what the sensor's programs take of the processors within a budget, by doing without
// optional hooks for a while. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/probe/cost_meter.h"

namespace kvmsentry {

class CostGuard {
 public:
  // In percent of the time of all processors; 0: without limit.
  explicit CostGuard(double budget_percent) : budget_(budget_percent) {}

  struct Verdict {
    const Hook* shed = nullptr;     // to be detached now,
    std::string reason;             // for this
    const Hook* restore = nullptr;  // to be attached again
  };
  // Above the budget three times in a row, the dearest optional hook goes, if doing without those
  // that cost a tenth of the budget each would help: else nothing goes, so that what makes other
  // hooks dear takes none away. It comes back kRestNs later, and goes again if it is still too
  // dear. One step at a time.
  Verdict Judge(std::span<const HookCost> costs, KernelTime now);
  // It could not be attached again after all: it will be tried later.
  void NotRestored(const Hook& hook, KernelTime now);

  // What is wrong; empty: nothing is.
  std::string Fault() const;

  static constexpr int kPatience = 3;
  static constexpr int64_t kRestNs = 600 * kNsPerSecond;

 private:
  struct Shed {
    const Hook* hook;
    KernelTime until;
  };

  const HookCost* Dearest(std::span<const HookCost> costs, double total) const;

  const double budget_;
  int strikes_ = 0;
  double stuck_at_ = 0;  // percent, above the budget where shedding does not help; else 0
  std::vector<Shed> shed_;
};

}  // namespace kvmsentry
