// What the source vhost gives.
#pragma once

#include <span>

#include "sensor/feature/feature.h"

namespace kvmsentry {

std::span<const Feature> VhostFeatures();

}  // namespace kvmsentry
