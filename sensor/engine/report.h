// Puts alerts into words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/engine/alert_event.h"
#include "sensor/engine/score_band.h"
#include "sensor/engine/watch.h"

namespace kvmsentry {

inline constexpr absl::string_view kScoreBandId = "score-band";

// Stable over restarts: of the spec and of the VM's uuid, else its name.
std::string AlertKey(absl::string_view spec_id, const VmFacts& vm);

// Why an alert is told cleared.
enum class ClearedBy : uint8_t { kNorm, kVmGone, kNotSelected };

// One step to be told.
struct Step {
  AlertState state = AlertState::kNone;
  KernelTime at;
  ClearedBy cleared_by = ClearedBy::kNorm;
  int64_t score = 0;         // of the VM, in millipoints
  int64_t contribution = 0;  // of it, this spec's
};

AlertEvent ReportWatch(const Watch& watch, const VmFacts& vm, const Step& step);

struct Contribution {
  const Spec* spec = nullptr;
  int64_t millipoints = 0;
};

// CONTRIBUTIONS: those to the VM's score, in any order.
AlertEvent ReportBand(const ScoreBand& band, const VmFacts& vm, const Step& step,
                      std::vector<Contribution> contributions);

}  // namespace kvmsentry
