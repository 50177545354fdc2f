// VMMs with another VM, or with none any more.
#pragma once

#include <span>

#include "tests/vmm/known_operation.h"

namespace kvmsentry {

std::span<const KnownOperation> VmLifeOperations();

}  // namespace kvmsentry
