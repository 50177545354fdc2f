// Which alerts are open, and how severe each was at its worst.
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

// The highest severity of each open alert's steps. Not thread safe.
class ReachedSeverities {
 public:
  // EVENT is the alert's next step. Returns the highest severity up to it.
  Severity Take(const AlertEvent& event);
  void Restore(const JournaledAlert& open) { reached_[IdOf(open.event)] = open.reached; }

 private:
  std::map<AlertId, Severity> reached_;
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
