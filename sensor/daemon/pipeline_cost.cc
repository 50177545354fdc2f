// How the pipeline keeps the sensor's cost within its budget.
#include <utility>

#include "spdlog/spdlog.h"

#include "sensor/daemon/pipeline.h"

namespace kvmsentry {
namespace {

// A measurement lasts a tick, and slows every run of a program: two in a hundred are enough.
constexpr int kTicksBetween = 50;

}  // namespace

void Pipeline::WatchCost(KernelTime now) {
  if (!cost_meter_.measuring()) {
    if (++ticks_unmeasured_ < kTicksBetween) return;
    ticks_unmeasured_ = 0;
    const bool was_ok = cost_status_.ok();
    cost_status_ = cost_meter_.Begin(sources_->probe(), now);
    if (was_ok && !cost_status_.ok()) {
      spdlog::warn("the cost guard is off: {}", std::string(cost_status_.message()));
    }
    return;
  }
  costs_ = cost_meter_.End(sources_->probe(), now);
  const CostGuard::Verdict verdict = cost_guard_.Judge(costs_, now);
  if (verdict.shed != nullptr) {
    sources_->probe().Shed(*verdict.shed, verdict.reason);
    spdlog::warn("{} ({}) is {}", std::string(verdict.shed->name),
                 std::string(verdict.shed->provides), verdict.reason);
  }
  if (verdict.restore != nullptr) {
    sources_->BeforeAttach();
    if (const absl::Status restored = sources_->probe().Restore(*verdict.restore); restored.ok()) {
      attached_ = true;
      spdlog::info("{} is attached again", std::string(verdict.restore->name));
    } else {
      cost_guard_.NotRestored(*verdict.restore, now);
      spdlog::error("{} could not be attached again: {}", std::string(verdict.restore->name),
                    std::string(restored.message()));
    }
  }
  if (verdict.shed != nullptr || verdict.restore != nullptr) {
    active_ = ObservableFeatures(sources_->probe().coverage());
  }
  self_.Judge(Fault::kCost, cost_guard_.Fault(), now);
}

}  // namespace kvmsentry
