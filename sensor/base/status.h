// Errors are absl::Status and name the object and the remedy. errno becomes a status at the system
// call: absl::ErrnoToStatus(errno, "open /dev/kvm").
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

// Returns from the current function with the status of EXPR unless it is OK.
#define KVMSENTRY_RETURN_IF_ERROR(expr)                               \
  do {                                                                \
    if (absl::Status status_of_expr = (expr); !status_of_expr.ok()) { \
      return status_of_expr;                                          \
    }                                                                 \
  } while (false)

#define KVMSENTRY_CONCAT_INNER(a, b) a##b
#define KVMSENTRY_CONCAT(a, b) KVMSENTRY_CONCAT_INNER(a, b)

// Assigns the value of the StatusOr EXPR to LHS, or returns its status.
#define KVMSENTRY_ASSIGN_OR_RETURN(lhs, expr) \
  KVMSENTRY_ASSIGN_OR_RETURN_IMPL(KVMSENTRY_CONCAT(statusor_, __LINE__), lhs, expr)
#define KVMSENTRY_ASSIGN_OR_RETURN_IMPL(statusor, lhs, expr) \
  auto statusor = (expr);                                    \
  if (!statusor.ok()) return std::move(statusor).status();   \
  lhs = *std::move(statusor)

namespace kvmsentry {

// The same status with "CONTEXT: " before its message; OK stays OK.
inline absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(context, ": ", status.message()));
}

}  // namespace kvmsentry
