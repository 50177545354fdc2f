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

Cell SeverityCell(const v1::SpecInfo& spec) {
  if (spec.observe_only()) return {"(observed)", Paint::kDim};
  return {v1::Severity_Name(spec.severity()), PaintOf(spec.severity())};
}

std::string Disabled(const v1::ListSpecsResponse& response, const Style& style) {
  std::string out;
  for (const v1::DisabledSpec& disabled : response.disabled()) {
    absl::StrAppend(&out, "disabled: ", style(Paint::kPlain, disabled.id()), ", ",
                    style(Paint::kDim, disabled.place()), "\n");
  }
  return out;
}

// What a line of 80 columns has room for; a feature and a norm may each need all of it.
std::string FormatNarrowSpecs(const v1::ListSpecsResponse& response, const Style& style) {
  Table table({{"SPEC"}, {"POINT"}, {"SEVERITY"}, {"FROM"}, {"COVERAGE"}});
  for (const v1::SpecInfo& spec : response.specs()) {
    table.Add({{spec.id(), Paint::kBold},
               {v1::Point_Name(spec.point())},
               SeverityCell(spec),
               {FromText(spec.origin())},
               {v1::Coverage_Name(spec.coverage()), PaintOf(spec.coverage())}});
  }
  return table.Render(style) + Disabled(response, style);
}

std::string FormatWideSpecs(const v1::ListSpecsResponse& response, const Style& style) {
  Table table(
      {{"SPEC"}, {"POINT"}, {"SEVERITY"}, {"FROM"}, {"FEATURE"}, {"NORM"}, {"FOR"}, {"COVERAGE"}});
  for (const v1::SpecInfo& spec : response.specs()) {
    const std::string coverage = v1::Coverage_Name(spec.coverage());
    table.Add({{spec.id(), Paint::kBold},
               {v1::Point_Name(spec.point())},
               SeverityCell(spec),
               {FromText(spec.origin())},
               {spec.feature()},
               {spec.norm_text()},
               {spec.selector_text()},
               {spec.reason().empty() ? coverage : absl::StrCat(coverage, ": ", spec.reason()),
                PaintOf(spec.coverage())}});
  }
  return table.Render(style) + Disabled(response, style);
}

}  // namespace

std::string FormatSpecs(const v1::ListSpecsResponse& response, const Look& look) {
  if (response.specs().empty()) return "no specs\n";
  return look.wide() ? FormatWideSpecs(response, look.style)
                     : FormatNarrowSpecs(response, look.style);
}

}  // namespace kvmsentry
