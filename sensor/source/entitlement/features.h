// What the source entitlement gives.
#pragma once

#include <span>

#include "sensor/feature/feature.h"

namespace kvmsentry {

std::span<const Feature> EntitlementFeatures();

}  // namespace kvmsentry
