#include "sensor/alert/open_alerts.h"

#include <algorithm>

namespace kvmsentry {

Severity ReachedSeverities::Take(const AlertEvent& event) {
  const auto [known, is_new] = reached_.try_emplace(IdOf(event), event.severity);
  const Severity reached = known->second = std::max(known->second, event.severity);
  if (event.state == AlertState::kCleared) reached_.erase(known);
  return reached;
}

void OpenAlerts::Take(const AlertPtr& alert) {
  if (alert->event.state == AlertState::kCleared) {
    open_.erase(IdOf(alert->event));
  } else {
    open_[IdOf(alert->event)] = alert;
  }
}

std::vector<AlertPtr> OpenAlerts::All() const {
  std::vector<AlertPtr> all;
  all.reserve(open_.size());
  for (const auto& [id, alert] : open_) all.push_back(alert);
  return all;
}

}  // namespace kvmsentry
