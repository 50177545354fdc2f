// Puts alerts into words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/engine/alert_event.h"
#include "sensor/engine/score_band.h"
#include "sensor/engine/watch.h"

namespace kvmsentry {

inline constexpr absl::string_view kScoreBandId = "score-band";
inline constexpr absl::string_view kOtherPartsId = "too-many-parts";

// Stable over restarts: of the spec, of the VM's name and uuid, and of the part's name.
std::string AlertKey(absl::string_view spec_id, const VmFacts& vm, absl::string_view part);

// Why an alert is reported cleared.
enum class ClearedBy : uint8_t {
  kNorm,
  kVmGone,
  kPartGone,
  kNotSelected,
  kSpecRemoved,
  kSpecChanged,
};

// One step to be reported.
struct Step {
  AlertState state = AlertState::kNone;
  KernelTime at;
  ClearedBy cleared_by = ClearedBy::kNorm;
  int64_t score = 0;         // of the VM, in millipoints
  int64_t contribution = 0;  // of it, this spec's
};

// PART is empty where it is the VM itself. DETAIL: what the latest occurrence of a rate named.
AlertEvent ReportWatch(const Watch& watch, const VmFacts& vm, const std::string& part,
                       std::optional<uint64_t> detail, const Step& step);

struct Contribution {
  const Spec* spec = nullptr;
  int64_t millipoints = 0;
};

// CONTRIBUTIONS: those to the VM's score, in any order.
AlertEvent ReportBand(const ScoreBand& band, const VmFacts& vm, const Step& step,
                      std::vector<Contribution> contributions);

// The VM has more than MOST parts.
AlertEvent ReportOtherParts(const VmFacts& vm, const Step& step, KernelTime since, size_t most);

}  // namespace kvmsentry
