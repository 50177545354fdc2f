// What a VMM does with memory: has it executed, or hands it to its guest.
#pragma once

#include <span>

#include "tests/vmm/known_operation.h"

namespace kvmsentry {

// Code of a file, as a library is. False with errno set.
bool MapLibrary();

std::span<const KnownOperation> MemoryOperations();

}  // namespace kvmsentry
