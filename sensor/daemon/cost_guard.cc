#include "sensor/daemon/cost_guard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace kvmsentry {
namespace {

bool ByCost(const HookCost& a, const HookCost& b) { return a.percent < b.percent; }

}  // namespace

// What to do without: nothing where that would not bring the rest within the budget.
const HookCost* CostGuard::Dearest(std::span<const HookCost> costs, double total) const {
  const HookCost* dearest = nullptr;
  for (const HookCost& cost : costs) {
    if (!cost.optional || cost.percent < budget_ / 10) continue;
    total -= cost.percent;
    if (dearest == nullptr || ByCost(*dearest, cost)) dearest = &cost;
  }
  return total > budget_ ? nullptr : dearest;
}

CostGuard::Verdict CostGuard::Judge(std::span<const HookCost> costs, KernelTime now) {
  double total = 0;
  for (const HookCost& cost : costs) total += cost.percent;
  const bool over = budget_ > 0 && total > budget_;
  strikes_ = over ? strikes_ + 1 : 0;
  if (!over) stuck_at_ = 0;
  if (strikes_ >= kPatience) {
    strikes_ = 0;
    const HookCost* dearest = Dearest(costs, total);
    stuck_at_ = dearest == nullptr ? total : 0;
    if (dearest != nullptr) {
      shed_.push_back({dearest->hook, {now.ns + kRestNs}});
      return {.shed = dearest->hook,
              .reason = absl::StrFormat(
                  "shed: it took %.2g%% of the CPU time and all programs %.2g%%, above "
                  "--cost-budget %g; it is tried again after %d minutes",
                  dearest->percent, total, budget_, kRestNs / kNsPerSecond / 60)};
    }
  }
  const auto due = std::ranges::find_if(shed_, [&](const Shed& shed) { return shed.until <= now; });
  if (due == shed_.end()) return {};
  Verdict verdict{.reason = {}, .restore = due->hook};
  shed_.erase(due);
  return verdict;
}

void CostGuard::NotRestored(const Hook& hook, KernelTime now) {
  shed_.push_back({&hook, {now.ns + kRestNs}});
}

std::string CostGuard::Fault() const {
  std::vector<std::string> faults;
  for (const Shed& shed : shed_) faults.push_back(absl::StrCat(shed.hook->name, " is shed"));
  if (stuck_at_ != 0) {
    faults.push_back(absl::StrFormat(
        "they take %.2g%%, too much of it by hooks that are not optional", stuck_at_));
  }
  return absl::StrJoin(faults, "; ");
}

}  // namespace kvmsentry
