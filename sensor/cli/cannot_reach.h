// Why the daemon cannot be reached, and what to do.
#pragma once

#include <string>

#include "sensor/base/status.h"

namespace kvmsentry {

// ERROR is the errno of connecting to the socket at PATH. PERMISSION_DENIED names the group to
// join, as whoever made the socket or its folder gave it; UNAVAILABLE says what to check.
absl::Status CannotReach(const std::string& path, int error);

}  // namespace kvmsentry
