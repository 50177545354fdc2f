#include "sensor/daemon/publisher.h"

#include "spdlog/spdlog.h"

namespace kvmsentry {

absl::Time WallAt(const Clock& clock, KernelTime time) {
  return clock.WallNow() - absl::Nanoseconds(clock.Now() - time);
}

void Publisher::Publish(AlertEvent event) {
  const auto [opened, is_new] =
      opened_.try_emplace({event.vm.id, event.key}, WallAt(clock_, event.opened_at));
  JournaledAlert alert;
  alert.opened_at = opened->second;
  alert.at = event.at == event.opened_at ? alert.opened_at : WallAt(clock_, event.at);
  if (event.state == AlertState::kCleared) opened_.erase(opened);
  alert.host = host_;
  alert.silenced_by = silenced_by_(event);
  alert.event = std::move(event);
  if (const auto published = hub_.Publish(std::move(alert)); !published.ok()) {
    if (refused_++ == 0) {
      spdlog::error("an alert is lost: {}", std::string(published.message()));
    }
  }
}

}  // namespace kvmsentry
