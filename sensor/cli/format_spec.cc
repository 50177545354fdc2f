#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/cli/detail.h"
#include "sensor/cli/format.h"
#include "sensor/feature/method.h"

namespace kvmsentry {
namespace {

constexpr DetailShape kWhole = {.label_width = 10, .max_lines = std::numeric_limits<size_t>::max()};

std::string CoverageText(const v1::SpecInfo& spec) {
  switch (spec.coverage()) {
    case v1::ACTIVE:
      return "ACTIVE: it is watched on this host";
    case v1::ATTACHED:
      return "ATTACHED: it is watched on this host; its hooks have not fired yet";
    case v1::DEGRADED:
      return absl::StrCat("DEGRADED: it is watched on this host, but ", spec.reason());
    case v1::UNOBSERVABLE:
      return absl::StrCat("UNOBSERVABLE: it never alerts on this host: ", spec.reason());
    default:
      return v1::Coverage_Name(spec.coverage());
  }
}

std::string OtherwiseText(const v1::SpecInfo& spec) {
  const std::string& severity = v1::Severity_Name(spec.severity());
  if (spec.observe_only()) {
    return absl::StrCat(
        "observed only: an alert of severity INFO that counts for nothing; once it "
        "alerts, of ",
        severity, " and weight ", spec.weight());
  }
  return absl::StrCat("an alert of severity ", severity, "; the VM's score rises by ",
                      spec.weight(), ", and the further from normal, the more");
}

absl::string_view VerdictText(v1::SpecSelection::Verdict verdict) {
  switch (verdict) {
    case v1::SpecSelection::SELECTED:
      return "selected";
    case v1::SpecSelection::EXCEPTED:
      return "excepted";
    default:
      return "not selected";
  }
}

}  // namespace

std::string FormatSpec(const v1::SpecInfo& spec, const Look& look) {
  std::string out = absl::StrCat(look.style(Paint::kBold, spec.id()), "\n");
  const auto line = [&](absl::string_view label, absl::string_view text,
                        Paint paint = Paint::kPlain) {
    AppendDetail(look, kWhole, label, text, paint, out);
  };
  line("point:", absl::StrCat(v1::Point_Name(spec.point()), ", ",
                              PointText(static_cast<Point>(spec.point()))));
  const std::string by =
      spec.hooks().empty() ? "" : absl::StrCat(", by ", absl::StrJoin(spec.hooks(), ", "));
  line("watches:", absl::StrCat(spec.occurrences(), " (", spec.feature(), by, ")"));
  line("for:", spec.whole_selector_text());
  line("normal:", spec.whole_norm_text());
  line("otherwise:", OtherwiseText(spec));
  line("why:", spec.why());
  line("look at:", spec.look_at());
  if (!spec.tags().empty()) line("tags:", absl::StrJoin(spec.tags(), ", "));
  if (!spec.mitre().empty()) line("ATT&CK:", absl::StrJoin(spec.mitre(), ", "));
  if (spec.origin().layer() != v1::SPEC_LAYER_UNSPECIFIED) {
    line("from:", absl::StrCat(spec.origin().layer() == v1::SITE ? "the site" : "shipped", ", ",
                               spec.origin().place()));
  }
  for (const v1::SpecChange& change : spec.origin().changes()) {
    line("changed:",
         absl::StrCat(change.field(), " ",
                      ChangeText(change.field(), change.before(), change.after()), ", ",
                      change.place()),
         Paint::kYellow);
  }
  if (spec.coverage() != v1::COVERAGE_UNSPECIFIED) {
    line("here:", CoverageText(spec), PaintOf(spec.coverage()));
  }
  for (const v1::SpecSelection& selection : spec.selections()) {
    const bool selected = selection.verdict() == v1::SpecSelection::SELECTED;
    line("VM:",
         absl::StrCat(selection.vm().name(), " is ", VerdictText(selection.verdict()), ": ",
                      selection.reason()),
         selected ? Paint::kGreen : Paint::kYellow);
  }
  return out;
}

}  // namespace kvmsentry
