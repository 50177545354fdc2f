// Who handles the page faults of a VMM, by userfaultfd(2).
#pragma once

#include <span>

#include "tests/vmm/known_operation.h"

namespace kvmsentry {

std::span<const KnownOperation> FaultOperations();

}  // namespace kvmsentry
