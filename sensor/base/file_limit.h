// How many files a process may have open.
#pragma once

#include "sensor/base/status.h"

namespace kvmsentry {

// As many from now on as the hard limit allows. The soft one is 1,024 for the sake of select(2),
// and programs, links and maps are some 800 by themselves.
absl::Status RaiseFileLimit();

}  // namespace kvmsentry
