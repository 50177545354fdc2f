#include "sensor/daemon/cost_guard.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace kvmsentry {
namespace {

const HookCost* DearestOptional(std::span<const HookCost> costs) {
  const HookCost* dearest = nullptr;
  for (const HookCost& cost : costs) {
    if (!cost.optional || cost.percent <= 0) continue;
    if (dearest == nullptr || cost.percent > dearest->percent) dearest = &cost;
  }
  return dearest;
}

}  // namespace

CostGuard::Verdict CostGuard::Judge(std::span<const HookCost> costs, KernelTime now) {
  double total = 0;
  for (const HookCost& cost : costs) total += cost.percent;
  const bool over = budget_ > 0 && total > budget_;
  strikes_ = over ? strikes_ + 1 : 0;
  if (!over) {
    stuck_at_ = 0;
    const auto due =
        std::ranges::find_if(shed_, [&](const Shed& shed) { return shed.until <= now; });
    if (due == shed_.end()) return {};
    const Verdict verdict{.reason = {}, .restore = due->hook};
    shed_.erase(due);
    return verdict;
  }
  if (strikes_ < kPatience) return {};
  const HookCost* dearest = DearestOptional(costs);
  if (dearest == nullptr) {
    stuck_at_ = total;
    return {};
  }
  strikes_ = 0;
  shed_.push_back({dearest->hook, {now.ns + kRestNs}});
  return {.shed = dearest->hook,
          .reason = absl::StrFormat(
              "shed: it took %.2g%% of the processors and all programs %.2g%%, above "
              "--cost-budget %g; it is tried again after %d minutes",
              dearest->percent, total, budget_, kRestNs / kNsPerSecond / 60)};
}

void CostGuard::NotRestored(const Hook& hook, KernelTime now) {
  shed_.push_back({&hook, {now.ns + kRestNs}});
}

std::string CostGuard::Fault() const {
  if (!shed_.empty()) {
    return absl::StrCat(absl::StrJoin(shed_, ", ",
                                      [](std::string* out, const Shed& shed) {
                                        absl::StrAppend(out, shed.hook->name);
                                      }),
                        shed_.size() == 1 ? " is shed" : " are shed");
  }
  if (stuck_at_ == 0) return {};
  return absl::StrFormat("they take %.2g%%, and no optional hook is left to shed", stuck_at_);
}

}  // namespace kvmsentry
