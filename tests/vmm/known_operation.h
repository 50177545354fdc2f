// An operation, by its name.
#pragma once

#include "tests/vmm/operation.h"

namespace kvmsentry {

struct KnownOperation {
  absl::string_view name;
  absl::StatusOr<Operation> (*make)(const TestMachine& machine);
};

}  // namespace kvmsentry
