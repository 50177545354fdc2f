// What a VMM does that was taken over from its guest, and what looks alike.
#pragma once

#include <span>

#include "tests/vmm/known_operation.h"

namespace kvmsentry {

// Those that would end a process do so to a child. Images lie in $TMPDIR.
std::span<const KnownOperation> ConductOperations();

}  // namespace kvmsentry
