// Alerts that were open when an earlier run of the sensor ended.
#pragma once

#include "absl/time/time.h"

#include "sensor/alert/journal.h"
#include "sensor/base/time.h"

namespace kvmsentry {

// The last step of OPEN's life: nobody watched, so nobody knows whether it still deviates. Where it
// does, it opens again. NOW and WALL are the same moment.
JournaledAlert ClearLeftOpen(const JournaledAlert& open, KernelTime now, absl::Time wall);

}  // namespace kvmsentry
