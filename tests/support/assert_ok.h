// GoogleTest's assertions for absl::Status and absl::StatusOr, which Debian's Abseil has none of.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "sensor/base/status.h"

// Ends the test unless EXPR, a Status or StatusOr, is OK.
#define ASSERT_OK(expr)                                                                    \
  do {                                                                                     \
    const auto& status_of_expr = (expr);                                                   \
    ASSERT_TRUE(kvmsentry::IsOk(status_of_expr)) << kvmsentry::StatusText(status_of_expr); \
  } while (false)

#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_IMPL(KVMSENTRY_CONCAT(result_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_IMPL(result, lhs, expr) \
  auto result = (expr);                              \
  ASSERT_OK(result);                                 \
  lhs = *std::move(result)

namespace kvmsentry {

inline bool IsOk(const absl::Status& status) { return status.ok(); }
inline std::string StatusText(const absl::Status& status) { return status.ToString(); }
template <typename T>
bool IsOk(const absl::StatusOr<T>& result) {
  return result.ok();
}
template <typename T>
std::string StatusText(const absl::StatusOr<T>& result) {
  return result.status().ToString();
}

}  // namespace kvmsentry
