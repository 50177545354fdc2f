// What somebody probably meant who named something that is not there.
#pragma once

#include <string>
#include <vector>

#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/base/status.h"
#include "sensor/cli/client.h"

namespace kvmsentry {

// The VM of VMS by this name, else the only one that was given it, or that has this uuid. NOT_FOUND
// names the nearest.
absl::StatusOr<v1::VmStatus> FindVm(const std::vector<v1::VmStatus>& vms, const std::string& name);

// The spec of SPECS with this id. NOT_FOUND names the nearest.
absl::StatusOr<v1::SpecInfo> FindSpec(const v1::ListSpecsResponse& specs, const std::string& id);

// A line for each name in FILTER that is no pattern and that nothing has: no alert will ever match
// it, or not yet. Nothing where the daemon cannot be asked.
std::vector<std::string> HintsOn(const v1::AlertFilter& filter, Client& client);

}  // namespace kvmsentry
