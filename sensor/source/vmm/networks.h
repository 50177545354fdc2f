// Which of the networks that a VM was given its VMM carries itself. Pure.
#pragma once

#include <cstdint>

#include "sensor/given/given.h"

namespace kvmsentry {

// Bits of ks_network. Only what the VMM was told at its start or its manager says counts: what it
// did later is no leave to do more.
uint64_t NetworksOf(const Given& given);

}  // namespace kvmsentry
