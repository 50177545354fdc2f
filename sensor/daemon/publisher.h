// From what the engine says to what subscribers get: wall clock, host and position.
#pragma once

#include <cstdint>
#include <functional>
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
  // The silence that an event matches now; 0: none.
  using SilencedBy = std::function<uint64_t(const AlertEvent&)>;

  static uint64_t NoSilence(const AlertEvent&) { return 0; }

  // CLOCK and HUB outlive it.
  Publisher(HostFacts host, const Clock& clock, Hub& hub, SilencedBy silenced_by = NoSilence)
      : host_(std::move(host)), clock_(clock), hub_(hub), silenced_by_(std::move(silenced_by)) {}

  // Counts and logs what the journal refuses.
  void Publish(AlertEvent event);

  uint64_t refused() const { return refused_; }

 private:
  const HostFacts host_;
  const Clock& clock_;
  Hub& hub_;
  const SilencedBy silenced_by_;
  uint64_t refused_ = 0;
  // Of each open alert, by its key, when it opened: told alike with each of its steps, although
  // the two clocks drift.
  std::map<std::pair<VmId, std::string>, absl::Time> opened_;
};

// TIME on the wall clock. Both clocks are read at once: the time of a tick is older by what was
// done since.
absl::Time WallAt(const Clock& clock, KernelTime time);

}  // namespace kvmsentry
