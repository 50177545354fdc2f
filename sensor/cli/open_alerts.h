// All alerts that are open, whatever the size of a page.
#pragma once

#include <vector>

#include "kvmsentry/v1/alerts.pb.h"
#include "sensor/base/status.h"
#include "sensor/cli/client.h"

namespace kvmsentry {

// In the order in which they opened; what is silenced comes last.
absl::StatusOr<std::vector<v1::Alert>> ListAllOpen(Client& client, const v1::AlertFilter& filter);

}  // namespace kvmsentry
