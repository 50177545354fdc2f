// Why hooks do not work, each cause once, with the specs that suffer by it. Pure.
#pragma once

#include <vector>

#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/cli/health.h"

namespace kvmsentry {

// The cause of the most specs first: the specs, why, and the hooks. Hooks whose modules are not
// loaded have one cause, as have those that failed alike by whatever variant. A warning is only
// what failed and what a spec needs.
std::vector<Finding> FindCauses(const v1::GetStatusResponse& status);

}  // namespace kvmsentry
