#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/feature/method.h"

namespace kvmsentry {
namespace {

void AppendLine(const Style& style, absl::string_view label, absl::string_view text, Paint paint,
                std::string& out) {
  absl::StrAppend(&out, "    ", Padded(style, {std::string(label), Paint::kDim}, 10), " ",
                  style(paint, text), "\n");
}

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

}  // namespace

std::string FormatSpec(const v1::SpecInfo& spec, const Style& style) {
  std::string out = absl::StrCat(style(Paint::kBold, spec.id()), "\n");
  const auto line = [&](absl::string_view label, absl::string_view text,
                        Paint paint = Paint::kPlain) {
    AppendLine(style, label, text, paint, out);
  };
  line("point:", absl::StrCat(v1::Point_Name(spec.point()), ", ",
                              PointText(static_cast<Point>(spec.point()))));
  line("watches:", absl::StrCat(spec.occurrences(), " of ", spec.selector_text(), " (",
                                spec.feature(), ", by ", absl::StrJoin(spec.hooks(), ", "), ")"));
  line("normal:", spec.norm_text());
  line("otherwise:", absl::StrCat("an alert of severity ", v1::Severity_Name(spec.severity()),
                                  "; the VM's score rises by ", spec.weight(),
                                  ", and the further from normal, the more"));
  line("why:", spec.why());
  line("look at:", spec.look_at());
  line("here:", CoverageText(spec), PaintOf(spec.coverage()));
  return out;
}

}  // namespace kvmsentry
