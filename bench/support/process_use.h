// What a process uses of processors and memory.
#pragma once

#include <sys/types.h>

#include "sensor/base/status.h"

namespace kvmsentry {

// Of all its threads, since its start.
absl::StatusOr<double> CpuSeconds(pid_t pid);

// Its resident memory now.
absl::StatusOr<double> ResidentMib(pid_t pid);

}  // namespace kvmsentry
