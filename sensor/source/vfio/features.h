// What the source vfio gives.
#pragma once

#include <span>

#include "sensor/feature/feature.h"

namespace kvmsentry {

std::span<const Feature> VfioFeatures();

}  // namespace kvmsentry
