#include "sensor/daemon/cost_control.h"

#include <utility>

#include "spdlog/spdlog.h"

namespace kvmsentry {
namespace {

constexpr int kTicksBetween = 50;

}  // namespace

CostControl::Step CostControl::Due() {
  if (measuring_) return Step::kEnd;
  return ++ticks_ < kTicksBetween ? Step::kNone : Step::kBegin;
}

void CostControl::Began(const absl::Status& begun) {
  measuring_ = begun.ok();
  ticks_ = 0;
  if (std::exchange(status_, begun).ok() && !begun.ok()) {
    spdlog::warn("the cost guard is off: {}", std::string(begun.message()));
  }
}

CostGuard::Verdict CostControl::Ended(std::vector<HookCost> costs, KernelTime now) {
  measuring_ = false;
  ticks_ = 0;
  costs_ = std::move(costs);
  return guard_.Judge(costs_, now);
}

void CostControl::Restored(const Hook& hook, const absl::Status& restored, KernelTime now) {
  if (restored.ok()) {
    spdlog::info("{} is attached again", std::string(hook.name));
    return;
  }
  guard_.NotRestored(hook, now);
  spdlog::error("{} could not be attached again: {}", std::string(hook.name),
                std::string(restored.message()));
}

}  // namespace kvmsentry
