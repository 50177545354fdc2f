// Which system calls a process can still make (seccomp(2)).
#pragma once

#include <initializer_list>

#include "sensor/base/status.h"

namespace kvmsentry {

// From here on the calling thread and those that it makes fail with EPERM in all system calls but
// ALLOWED, or in those of FORBIDDEN, given by name. A name that this machine has not is passed
// over. Wants no_new_privs.
absl::Status AllowSystemCalls(std::initializer_list<const char*> allowed);
absl::Status ForbidSystemCalls(std::initializer_list<const char*> forbidden);

}  // namespace kvmsentry
