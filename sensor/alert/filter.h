// Which alerts a subscriber wants.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "sensor/alert/journal.h"
#include "sensor/feature/method.h"
#include "sensor/feature/vm.h"

namespace kvmsentry {

// An alert passes if it matches every field that is set.
struct AlertFilter {
  std::vector<std::string> vm = {};  // globs; one of MatchesVm()
  std::vector<Point> points = {};    // one of these
  // Of an alert that reached it, all further steps pass: whoever saw it rise sees its end.
  Severity min_severity = Severity::kNone;
  std::vector<std::string> spec = {};  // globs; the spec's id matches one
  absl::Time from = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();  // not included
  // Within summary, names or evidence, in any case of ASCII letters: these change during an alert's
  // life.
  std::string text = {};

  // Not what was silenced from its opening to this step.
  bool hide_muted = false;

  // FOLLOWED: an earlier step of the alert matched, and its text is not asked for any more.
  bool Matches(const JournaledAlert& alert, bool followed = false) const;
};

// Whether the VM's name, the name that it was given or its uuid matches one of the globs, or there
// is no glob.
bool MatchesVm(const std::vector<std::string>& globs, const VmFacts& vm);

}  // namespace kvmsentry
