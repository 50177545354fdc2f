// What each kind of client may ask.
#pragma once

#include "absl/strings/string_view.h"

namespace kvmsentry {

// Ascending: a role may do all that a lower one may.
enum class Role {
  kNone,
  kViewer,  // reads alerts, VMs, specs and status
  kAdmin,   // changes what the sensor does, too
};

absl::string_view RoleName(Role role);

// "kvmsentry.v1.Sensor" of "/kvmsentry.v1.Sensor/GetStatus"; empty where METHOD is no such path.
absl::string_view ServiceOf(absl::string_view method);

// The role that a call of METHOD needs. It is the service's name that decides, so that no handler
// can forget it: kAdmin where it ends in "Admin", kViewer for all others, known or not.
Role RoleNeeded(absl::string_view method);

}  // namespace kvmsentry
