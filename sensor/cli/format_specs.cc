#include <string>

#include "absl/strings/str_cat.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"

namespace kvmsentry {
namespace {

std::string FormatNarrowSpecs(const v1::ListSpecsResponse& response, const Look& look) {
  Table table({{"SPEC", false, true},
               {"POINT"},
               {"SEVERITY"},
               {"COVERAGE"},
               {"FEATURE", false, true},
               {"NORM", false, true}});
  for (const v1::SpecInfo& spec : response.specs()) {
    table.Add({{spec.id(), Paint::kBold},
               {v1::Point_Name(spec.point())},
               {v1::Severity_Name(spec.severity()), PaintOf(spec.severity())},
               {v1::Coverage_Name(spec.coverage()), PaintOf(spec.coverage())},
               {spec.feature()},
               {spec.norm_text()}});
  }
  return table.RenderFit(look.style, look.width);
}

std::string FormatWideSpecs(const v1::ListSpecsResponse& response, const Style& style) {
  Table table({{"SPEC"}, {"POINT"}, {"SEVERITY"}, {"FEATURE"}, {"NORM"}, {"FOR"}, {"COVERAGE"}});
  for (const v1::SpecInfo& spec : response.specs()) {
    const std::string coverage = v1::Coverage_Name(spec.coverage());
    table.Add({{spec.id(), Paint::kBold},
               {v1::Point_Name(spec.point())},
               {v1::Severity_Name(spec.severity()), PaintOf(spec.severity())},
               {spec.feature()},
               {spec.norm_text()},
               {spec.selector_text()},
               {spec.reason().empty() ? coverage : absl::StrCat(coverage, ": ", spec.reason()),
                PaintOf(spec.coverage())}});
  }
  return table.Render(style);
}

}  // namespace

std::string FormatSpecs(const v1::ListSpecsResponse& response, const Look& look) {
  if (response.specs().empty()) return "no specs\n";
  return look.wide() ? FormatWideSpecs(response, look.style) : FormatNarrowSpecs(response, look);
}

}  // namespace kvmsentry
