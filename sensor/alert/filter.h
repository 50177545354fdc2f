// Which alerts a subscriber wants.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/engine/alert_event.h"
#include "sensor/feature/method.h"
#include "sensor/feature/vm.h"

namespace kvmsentry {

// An alert passes if it matches every field that is set.
struct AlertFilter {
  std::vector<std::string> vm = {};  // globs; one of MatchesVm()
  std::vector<Point> points = {};    // one of these
  Severity min_severity = Severity::kNone;
  std::vector<std::string> spec = {};  // globs; the spec's id matches one

  bool Matches(const AlertEvent& event) const;
};

// Whether the VM's name, the name that it was given or its uuid matches one of the globs, or there
// is no glob.
bool MatchesVm(const std::vector<std::string>& globs, const VmFacts& vm);

}  // namespace kvmsentry
