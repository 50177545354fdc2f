// What a VMM does for its VM: one call, one operation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/base/status.h"
#include "tests/support/test_vm.h"

namespace kvmsentry {

// Errors name what failed. Not thread safe.
using Operation = std::function<absl::Status()>;

std::vector<std::string> OperationNames();

// Opens what it works on. MACHINE, of kOperationMemory bytes, outlives it. NAME is one of
// OperationNames().
absl::StatusOr<Operation> MakeOperation(absl::string_view name, const TestMachine& machine);

inline constexpr size_t kOperationMemory = 4 << 20;

}  // namespace kvmsentry
