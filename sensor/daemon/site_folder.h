// Writes the spec files of the site's folder, all or none.
#pragma once

#include <string>
#include <vector>

#include "sensor/base/status.h"
#include "sensor/rpc/spec_control.h"

namespace kvmsentry {

// Makes FILES the spec files of DIR and removes others; what is no spec file stays. If the process
// or the machine dies meanwhile, either nothing has changed or FinishSiteWrite completes it.
// FAILED_PRECONDITION with the remedy where that cannot be.
absl::Status WriteSiteFolder(const std::string& dir, const std::vector<SiteFile>& files);

// Completes a write to DIR that was interrupted, and removes what one left that never counted.
absl::Status FinishSiteWrite(const std::string& dir);

}  // namespace kvmsentry
