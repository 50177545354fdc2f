#include "sensor/alert/left_open.h"

#include "absl/strings/str_cat.h"

namespace kvmsentry {

JournaledAlert ClearLeftOpen(const JournaledAlert& open, KernelTime now, absl::Time wall) {
  JournaledAlert cleared = open;
  cleared.event.state = AlertState::kCleared;
  cleared.event.at = now;
  cleared.event.summary = absl::StrCat(
      "kvmsentryd was restarted; an alert opens again if this goes on: ", open.event.summary);
  cleared.event.evidence["cleared_by"] = "restart";
  cleared.event.observation_lost = true;
  cleared.at = wall;
  return cleared;
}

}  // namespace kvmsentry
