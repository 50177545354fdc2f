// From what the engine says to what subscribers get: wall clock, host and position.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/time/time.h"

#include "sensor/alert/hub.h"
#include "sensor/base/clock.h"
#include "sensor/engine/alert_event.h"
#include "sensor/inventory/host.h"

namespace kvmsentry {

// Not thread safe.
class Publisher {
 public:
  // CLOCK and HUB outlive it.
  Publisher(HostFacts host, const Clock& clock, Hub& hub)
      : host_(std::move(host)), clock_(clock), hub_(hub) {}

  // Counts and logs what the journal refuses.
  void Publish(AlertEvent event);

  uint64_t refused() const { return refused_; }

 private:
  const HostFacts host_;
  const Clock& clock_;
  Hub& hub_;
  uint64_t refused_ = 0;
  // Of each open alert, by its key, when it opened: told alike with each of its steps, although
  // the two clocks drift.
  std::map<std::pair<VmId, std::string>, absl::Time> opened_;
};

// TIME on the wall clock. Both clocks are read at once: the time of a tick is older by what was
// done since.
absl::Time WallAt(const Clock& clock, KernelTime time);

}  // namespace kvmsentry
