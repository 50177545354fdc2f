#include "sensor/alert/open_alerts.h"

#include <algorithm>

namespace kvmsentry {

void AlertLives::Take(JournaledAlert& alert) {
  const auto [known, is_new] = lives_.try_emplace(IdOf(alert.event));
  Life& life = known->second;
  life.reached = std::max(life.reached, alert.event.severity);
  life.muted = life.muted && alert.silenced_by != 0;
  alert.reached = life.reached;
  alert.muted = life.muted;
  if (alert.event.state == AlertState::kCleared) lives_.erase(known);
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
