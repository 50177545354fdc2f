// In which order the engine takes observations.
#pragma once

#include <span>
#include <vector>

#include "sensor/feature/observation.h"

namespace kvmsentry {

using Order = std::vector<const Observation*>;

// OBSERVATIONS by time, in an order that is total, so that the order of arrival shows nowhere.
// They are large and stay where they are.
Order InOrder(std::span<const Observation> observations);

}  // namespace kvmsentry
