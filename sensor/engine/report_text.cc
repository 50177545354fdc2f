#include "sensor/engine/report_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/engine/text.h"

namespace kvmsentry {

AlertEvent BeginReport(const VmFacts& vm, const Step& step, KernelTime opened_at) {
  AlertEvent event;
  event.state = step.state;
  event.vm = vm;
  event.at = step.at;
  event.opened_at = opened_at;
  event.score_millipoints = step.score;
  event.contribution_millipoints = step.contribution;
  return event;
}

std::string SubjectText(const AlertEvent& event) {
  return absl::StrCat("VM \"", event.vm.name, "\"", event.part.empty() ? "" : ", ", event.part);
}

std::string LastedText(const AlertEvent& event) {
  return absl::StrCat("the alert lasted ", SpacedDuration(event.at - event.opened_at));
}

std::string EndText(const AlertEvent& event, ClearedBy by) {
  std::string what;
  switch (by) {
    case ClearedBy::kNorm:
      break;
    case ClearedBy::kVmGone:
      what = absl::StrCat("VM \"", event.vm.name, "\" exited");
      break;
    case ClearedBy::kPartGone:
      what = absl::StrCat("VM \"", event.vm.name, "\": ", event.part, " was removed");
      break;
    case ClearedBy::kNotSelected:
      what = absl::StrCat(SubjectText(event), " is no longer selected by spec ", event.spec_id);
      break;
    case ClearedBy::kSpecRemoved:
      what = absl::StrCat(SubjectText(event), ": spec ", event.spec_id, " was removed");
      break;
    case ClearedBy::kSpecChanged:
      what = absl::StrCat(SubjectText(event), ": spec ", event.spec_id, " was changed");
      break;
  }
  return absl::StrCat(what, "; ", LastedText(event), "; ");
}

std::string LimitText(const std::string& norm_text) {
  absl::string_view rest = norm_text;
  if (absl::ConsumePrefix(&rest, "at most ")) return absl::StrCat("limit ", rest);
  if (absl::ConsumePrefix(&rest, "at least ")) return absl::StrCat("minimum ", rest);
  return absl::StrCat("norm ", rest);
}

}  // namespace kvmsentry
