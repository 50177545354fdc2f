// The canary VM: one page of memory and one vCPU, which this process makes, runs for a few
// instructions and destroys. Each of them makes a hook fire, so that a hook that stays silent is
// known to be blind before any guest is at stake.
#pragma once

#include "sensor/base/status.h"

namespace kvmsentry {

// Takes a few milliseconds; a vCPU that does not come back is given up after two seconds. NOT_FOUND
// where there is no /dev/kvm, DEADLINE_EXCEEDED for a vCPU that was given up, else what failed. The
// VM is gone when this returns, but its row in the table of VMs is not, even where it failed: the
// calling thread is its creator (kvm->userspace_pid).
absl::Status RunCanaryVm();

}  // namespace kvmsentry
