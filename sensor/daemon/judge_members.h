// Which of the members that a VM was seen with are normal. Pure.
#pragma once

#include "absl/time/time.h"

#include "sensor/base/time.h"
#include "sensor/daemon/seen_members.h"
#include "sensor/feature/vm.h"
#include "sensor/rpc/sensor_view.h"
#include "sensor/spec/library.h"

namespace kvmsentry {

// By the specs of LIBRARY that select VM. AT was WALL.
MembersView JudgeMembers(const SeenMembers& seen, const VmFacts& vm, const SpecLibrary& library,
                         absl::Time wall, KernelTime at);

}  // namespace kvmsentry
