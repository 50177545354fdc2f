// Which options go together.
#pragma once

#include "absl/status/status.h"

#include "tests/guest/options.h"

namespace kvmsentry::guest {

// InvalidArgument, naming the option, where the guest could not do what OPTIONS say.
absl::Status CheckCombination(const Options& options);

}  // namespace kvmsentry::guest
