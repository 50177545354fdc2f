#include "sensor/alert/silence.h"

#include "absl/strings/match.h"

#include "sensor/alert/filter.h"
#include "sensor/base/glob.h"

namespace kvmsentry {
namespace {

// A clock that is disciplined steps back by a little now and then.
constexpr absl::Duration kSlack = absl::Minutes(1);

}  // namespace

bool SilenceMatch::Matches(const AlertEvent& event) const {
  if (max_severity != Severity::kNone && event.severity > max_severity) return false;
  if (point != Point::kNone && event.point != point) return false;
  if (absl::StartsWith(event.spec_id, "self-")) return vm.empty() && spec == event.spec_id;
  return (vm.empty() || MatchesVm({vm}, event.vm)) &&
         (spec.empty() || GlobMatch(spec, event.spec_id));
}

bool Silence::IsActive(absl::Time wall, KernelTime steady) const {
  return wall + kSlack >= created_at && !HasEnded(wall, steady);
}

bool Silence::HasEnded(absl::Time wall, KernelTime steady) const {
  return wall >= ends_at || steady >= ends_at_latest;
}

uint64_t SilencedBy(std::span<const Silence> silences, const AlertEvent& event, absl::Time wall,
                    KernelTime steady) {
  for (const Silence& silence : silences) {
    if (silence.IsActive(wall, steady) && silence.match.Matches(event)) return silence.id;
  }
  return 0;
}

}  // namespace kvmsentry
