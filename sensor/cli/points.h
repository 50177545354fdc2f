// What of the method the sensor sees on this host, by its points. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "kvmsentry/v1/sensor.pb.h"

namespace kvmsentry {

struct PointCoverage {
  v1::Point point = v1::POINT_UNSPECIFIED;
  uint32_t specs = 0;   // of the loaded library
  uint32_t seen = 0;    // of these, those that see all that they should
  uint32_t partly = 0;  // of these, those that are DEGRADED
};

// All points, K1 to K7 and R1 to R5, in this order.
std::vector<PointCoverage> CoverageByPoint(const v1::GetStatusResponse& status);

}  // namespace kvmsentry
