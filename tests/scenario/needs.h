// What a scenario needs of the host, found by asking it.
#pragma once

#include <string>

#include "scenario.pb.h"

namespace kvmsentry::scenario {

// Empty where the host offers it; else one line: what is missing and what to do.
std::string Missing(Need need);

// Where the kernel for Debian guests is: vmlinux and modules/RELEASE. The lab names it in the
// environment (tests/lab/inside). Empty where there is none.
std::string GuestKernel();

}  // namespace kvmsentry::scenario
