// A thread to which the kernel refuses something, as it might to any.
#pragma once

#include "sensor/base/status.h"

namespace kvmsentry {

// From now on ioctl COMMAND fails with EPERM in the calling thread, and in every process that it
// starts. There is no way back.
absl::Status RefuseIoctl(uint32_t command);

}  // namespace kvmsentry
