// What a VMM does that was taken over from its guest, and what looks alike.
#pragma once

#include <span>

#include "tests/vmm/operation.h"

namespace kvmsentry {

struct KnownOperation {
  absl::string_view name;
  absl::StatusOr<Operation> (*make)(const TestMachine& machine);
};

// Those that would end a process do so to a child. Images lie in $TMPDIR.
std::span<const KnownOperation> ConductOperations();

}  // namespace kvmsentry
