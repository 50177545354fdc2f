// Silences: what somebody knows of already. A silence marks alerts and drops none. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/time/time.h"

#include "sensor/base/time.h"
#include "sensor/engine/alert_event.h"
#include "sensor/feature/method.h"

namespace kvmsentry {

// An alert matches if it matches every field that is set.
struct SilenceMatch {
  std::string vm = {};  // a glob; see MatchesVm()
  // A glob. A spec of the sensor itself ("self-...") matches its exact id only, and only where VM
  // is empty: no pattern that somebody wrote for VMs may hide that the sensor is blind.
  std::string spec = {};
  Point point = Point::kNone;
  Severity max_severity = Severity::kNone;  // what is worse is heard

  bool Matches(const AlertEvent& event) const;
  friend bool operator==(const SilenceMatch&, const SilenceMatch&) = default;
};

struct Silence {
  uint64_t id = 0;  // 0 is none
  SilenceMatch match = {};
  absl::Time created_at;
  absl::Time ends_at;
  // When it ends by the clock that nobody sets; of this run only.
  KernelTime ends_at_latest;
  // Escaped already.
  std::string comment = {};
  std::string author = {};

  // By both clocks. The wall clock alone says it over restarts; where it is set back, the other one
  // ends the silence in time, and before its beginning it is none at all: rather an alert too many.
  bool IsActive(absl::Time wall, KernelTime steady) const;
  // For good, unless the wall clock was wrong.
  bool HasEnded(absl::Time wall, KernelTime steady) const;
};

// The first of those that are active and match; 0: none.
uint64_t SilencedBy(std::span<const Silence> silences, const AlertEvent& event, absl::Time wall,
                    KernelTime steady);

}  // namespace kvmsentry
