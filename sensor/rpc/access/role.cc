#include "sensor/rpc/access/role.h"

#include "absl/strings/match.h"

namespace kvmsentry {

absl::string_view RoleName(Role role) {
  switch (role) {
    case Role::kNone:
      return "none";
    case Role::kViewer:
      return "viewer";
    case Role::kAdmin:
      return "admin";
  }
  return "none";
}

absl::string_view ServiceOf(absl::string_view method) {
  const size_t slash = method.rfind('/');
  if (slash == absl::string_view::npos || slash == 0 || method.front() != '/') return "";
  return method.substr(1, slash - 1);
}

Role RoleNeeded(absl::string_view method) {
  return absl::EndsWith(ServiceOf(method), "Admin") ? Role::kAdmin : Role::kViewer;
}

}  // namespace kvmsentry
