// Where the devices of a machine lie: the ports and guest addresses at which something answers, by
// its kind. Pure.
#pragma once

#include "absl/strings/string_view.h"

#include "sensor/given/given.h"

namespace kvmsentry {

// Adds the windows of QEMU's MACHINE, as -machine has it; "" is QEMU's default. GIVEN's windows are
// whole then, but of a machine that is not known. What devices the command line adds is the
// caller's. HOLE_TOLD: where the memory below 4 GiB ends was told, so it is not known.
void AddQemuWindows(absl::string_view machine, bool hole_told, Given* given);

// The same of Firecracker, which has one machine.
void AddFirecrackerWindows(Given* given);

}  // namespace kvmsentry
