// Giving up capabilities (capabilities(7)).
#pragma once

#include <initializer_list>

#include <linux/capability.h>

#include "sensor/base/status.h"

namespace kvmsentry {

// Keeps those of KEPT that the calling thread has, and no other; nor does any program that it might
// start get them.
absl::Status KeepCapabilities(std::initializer_list<int> kept);

// FAILED_PRECONDITION that names those of NEEDED that the calling thread has not.
absl::Status CheckCapabilities(std::initializer_list<int> needed);

}  // namespace kvmsentry
