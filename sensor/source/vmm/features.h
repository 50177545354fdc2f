// What the source vmm gives.
#pragma once

#include <span>

#include "sensor/feature/feature.h"

namespace kvmsentry {

std::span<const Feature> VmmFeatures();

}  // namespace kvmsentry
