#include "sensor/rpc/access/caller.h"

#include "absl/strings/string_view.h"

namespace kvmsentry {
namespace {

constexpr char kRoleProperty[] = "kvmsentry_role";
constexpr char kNameProperty[] = "kvmsentry_name";

Role RoleNamed(absl::string_view name) {
  for (const Role role : {Role::kAdmin, Role::kViewer}) {
    if (name == RoleName(role)) return role;
  }
  return Role::kNone;
}

}  // namespace

Caller CallerOf(const grpc::ServerContextBase& context) {
  Caller caller;
  const auto properties = context.auth_context();
  if (properties == nullptr) return caller;
  for (const grpc::string_ref& role : properties->FindPropertyValues(kRoleProperty)) {
    caller.role = RoleNamed({role.data(), role.size()});
  }
  for (const grpc::string_ref& name : properties->FindPropertyValues(kNameProperty)) {
    caller.name.assign(name.data(), name.size());
  }
  return caller;
}

bool Recall(const grpc_auth_context* context, Caller& caller) {
  const auto find = [context](const char* name) {
    grpc_auth_property_iterator found = grpc_auth_context_find_properties_by_name(context, name);
    return grpc_auth_property_iterator_next(&found);
  };
  const grpc_auth_property* role = find(kRoleProperty);
  const grpc_auth_property* name = find(kNameProperty);
  if (role == nullptr || name == nullptr) return false;
  caller.role = RoleNamed({role->value, role->value_length});
  caller.name.assign(name->value, name->value_length);
  return true;
}

void Remember(grpc_auth_context* context, const Caller& caller) {
  const absl::string_view role = RoleName(caller.role);
  grpc_auth_context_add_property(context, kRoleProperty, role.data(), role.size());
  grpc_auth_context_add_property(context, kNameProperty, caller.name.data(), caller.name.size());
}

}  // namespace kvmsentry
