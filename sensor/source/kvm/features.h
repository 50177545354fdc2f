// What the source kvm gives.
#pragma once

#include <span>

#include "sensor/feature/feature.h"

namespace kvmsentry {

std::span<const Feature> KvmFeatures();

}  // namespace kvmsentry
