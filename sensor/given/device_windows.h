// Where the devices of a machine lie: the ports and guest addresses at which something answers, by
// its kind. Pure.
#pragma once

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"

namespace kvmsentry {

// Adds the windows of QEMU's MACHINE, as -machine has it; "" is QEMU's default. GIVEN's windows are
// whole then, but of a machine that is not known. What devices the command line adds is the
// caller's. LIMIT_SET: by max-ram-below-4g, so that nobody knows where the memory below 4 GiB ends.
void AddQemuWindows(absl::string_view machine, bool limit_set, Given* given);

// The same of Firecracker, which has one machine.
void AddFirecrackerWindows(Given* given);

}  // namespace kvmsentry
