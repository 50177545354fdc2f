// Giving up capabilities (capabilities(7)).
#pragma once

#include <span>

#include <linux/capability.h>

#include "sensor/base/status.h"

namespace kvmsentry {

// Keeps those of KEPT that the calling thread has, and no other; nor does any program that it might
// start get them.
absl::Status KeepCapabilities(std::span<const int> kept);

// FAILED_PRECONDITION that names those of NEEDED that the calling thread has not.
absl::Status CheckCapabilities(std::span<const int> needed);

}  // namespace kvmsentry
