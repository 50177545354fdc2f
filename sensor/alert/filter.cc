#include "sensor/alert/filter.h"

#include <algorithm>

#include "sensor/base/glob.h"

namespace kvmsentry {
namespace {

bool MatchesOne(const std::vector<std::string>& globs, absl::string_view text) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return GlobMatch(glob, text); });
}

}  // namespace

bool MatchesVm(const std::vector<std::string>& globs, const VmFacts& vm) {
  return globs.empty() || MatchesOne(globs, vm.name) || MatchesOne(globs, vm.given_name) ||
         MatchesOne(globs, vm.uuid);
}

bool AlertFilter::Matches(const AlertEvent& event) const {
  return event.severity >= min_severity && MatchesVm(vm, event.vm) &&
         (points.empty() || std::find(points.begin(), points.end(), event.point) != points.end()) &&
         (spec.empty() || MatchesOne(spec, event.spec_id));
}

}  // namespace kvmsentry
