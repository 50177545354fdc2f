// What a VMM's command line says that its VM was given. Pure; whoever starts a VMM chooses its
// arguments, so they are untrusted: what comes out is bounded and fit to be shown.
#pragma once

#include "sensor/given/given.h"
#include "sensor/inventory/process.h"

namespace kvmsentry {

// VMM is one of kVmms. Of an unknown one nothing is known.
Given GivenByCommandLine(const ProcessFacts& process, absl::string_view vmm);

}  // namespace kvmsentry
