#include "sensor/cli/points.h"

#include <algorithm>

#include "sensor/cli/words.h"

namespace kvmsentry {

std::vector<PointCoverage> CoverageByPoint(const v1::GetStatusResponse& status) {
  std::vector<PointCoverage> points;
  const auto& names = *v1::Point_descriptor();
  for (int i = 0; i < names.value_count(); ++i) {
    const auto point = static_cast<v1::Point>(names.value(i)->number());
    if (point != v1::POINT_UNSPECIFIED) points.push_back({.point = point});
  }
  for (const v1::SpecStatus& spec : status.specs()) {
    const auto of = std::ranges::find(points, spec.point(), &PointCoverage::point);
    if (of == points.end()) continue;
    ++of->specs;
    if (Works(spec.coverage())) ++of->seen;
    if (spec.coverage() == v1::DEGRADED) ++of->partly;
  }
  return points;
}

}  // namespace kvmsentry
