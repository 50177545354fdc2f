#include <string>

#include "absl/strings/str_cat.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"

namespace kvmsentry {
namespace {

std::string FromText(const v1::SpecOrigin& origin) {
  if (origin.layer() == v1::SITE) return "site";
  return origin.changes().empty() ? "shipped" : "changed";
}

}  // namespace

std::string FormatSpecs(const v1::ListSpecsResponse& response, const Style& style) {
  if (response.specs().empty()) return "no specs\n";
  Table table(
      {{"SPEC"}, {"POINT"}, {"SEVERITY"}, {"FROM"}, {"FEATURE"}, {"NORM"}, {"FOR"}, {"COVERAGE"}});
  for (const v1::SpecInfo& spec : response.specs()) {
    const std::string coverage = v1::Coverage_Name(spec.coverage());
    table.Add({{spec.id(), Paint::kBold},
               {v1::Point_Name(spec.point())},
               {spec.observe_only() ? "(observed)" : v1::Severity_Name(spec.severity()),
                spec.observe_only() ? Paint::kDim : PaintOf(spec.severity())},
               {FromText(spec.origin())},
               {spec.feature()},
               {spec.norm_text()},
               {spec.selector_text()},
               {spec.reason().empty() ? coverage : absl::StrCat(coverage, ": ", spec.reason()),
                PaintOf(spec.coverage())}});
  }
  std::string out = table.Render(style);
  for (const v1::DisabledSpec& disabled : response.disabled()) {
    absl::StrAppend(&out, "disabled: ", style(Paint::kPlain, disabled.id()), ", ",
                    style(Paint::kDim, disabled.place()), "\n");
  }
  return out;
}

}  // namespace kvmsentry
