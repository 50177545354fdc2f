// Which alerts are open, and what each has been through.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sensor/alert/journal.h"

namespace kvmsentry {

// The key alone is not unique: a VM may follow another one of the same name.
using AlertId = std::pair<uint64_t, std::string>;
inline AlertId IdOf(const AlertEvent& event) { return {event.vm.id.serial, event.key}; }

// What is known of each open alert's earlier steps. Not thread safe.
class AlertLives {
 public:
  // ALERT is its alert's next step: sets `reached` and `muted` of it.
  void Take(JournaledAlert& alert);
  void Restore(const JournaledAlert& open) {
    lives_[IdOf(open.event)] = {open.reached, open.muted};
  }

 private:
  struct Life {
    Severity reached = Severity::kNone;
    bool muted = true;
  };
  std::map<AlertId, Life> lives_;
};

// Not thread safe.
class OpenAlerts {
 public:
  // ALERT is its alert's next step.
  void Take(const AlertPtr& alert);
  std::vector<AlertPtr> All() const;  // the latest step of each, in the order of their ids

 private:
  std::map<AlertId, AlertPtr> open_;
};

}  // namespace kvmsentry
