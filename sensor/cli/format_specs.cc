#include <string>

#include "absl/strings/str_cat.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"

namespace kvmsentry {

std::string FormatSpecs(const v1::ListSpecsResponse& response, const Style& style) {
  if (response.specs().empty()) return "no specs\n";
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

}  // namespace kvmsentry
