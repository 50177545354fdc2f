// Which part of the cgroup tree this process is shown (cgroup_namespaces(7)).
#pragma once

#include "sensor/base/status.h"

namespace kvmsentry {

// A process in a container is shown each cgroup relative to the container's own,
// "/../../machine.slice", so no path of a VM's cgroup would be the host's. From here on the calling
// thread and those that it makes are shown the host's paths, if the container shares the host's
// processes; else, and outside containers, nothing changes. Where it does, it needs CAP_SYS_ADMIN
// and CAP_SYS_PTRACE.
absl::Status JoinCgroupNamespaceOfHost();

}  // namespace kvmsentry
