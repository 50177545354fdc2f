#include "sensor/alert/filter.h"

#include <algorithm>
#include <initializer_list>

#include "absl/strings/ascii.h"

#include "sensor/base/glob.h"

namespace kvmsentry {
namespace {

bool MatchesOne(const std::vector<std::string>& globs, absl::string_view text) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return GlobMatch(glob, text); });
}

bool Holds(absl::string_view text, absl::string_view part) {
  const auto same = [](char a, char b) {
    return absl::ascii_tolower(static_cast<unsigned char>(a)) ==
           absl::ascii_tolower(static_cast<unsigned char>(b));
  };
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool HasText(const AlertEvent& event, absl::string_view text) {
  for (const absl::string_view field : std::initializer_list<absl::string_view>{
           event.summary, event.vm.name, event.vm.uuid, event.vm.cgroup, event.part, event.spec_id,
           event.feature}) {
    if (Holds(field, text)) return true;
  }
  return std::any_of(event.evidence.begin(), event.evidence.end(),
                     [text](const auto& seen) { return Holds(seen.second, text); });
}

}  // namespace

bool MatchesVm(const std::vector<std::string>& globs, const VmFacts& vm) {
  return globs.empty() || MatchesOne(globs, vm.name) || MatchesOne(globs, vm.given_name) ||
         MatchesOne(globs, vm.uuid);
}

bool AlertFilter::Matches(const JournaledAlert& alert, bool followed) const {
  const AlertEvent& event = alert.event;
  return !(hide_muted && alert.muted) && alert.reached >= min_severity && alert.at >= from &&
         alert.at < until && MatchesVm(vm, event.vm) &&
         (text.empty() || followed || HasText(event, text)) &&
         (points.empty() || std::find(points.begin(), points.end(), event.point) != points.end()) &&
         (spec.empty() || MatchesOne(spec, event.spec_id));
}

}  // namespace kvmsentry
