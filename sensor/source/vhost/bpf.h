// What of the source vhost is BPF: its maps, programs and hooks.
#pragma once

#include <span>

#include "sensor/probe/map_plan.h"

namespace kvmsentry {

const BpfSource& VhostBpf();

std::span<const Hook> VhostHooks();

}  // namespace kvmsentry
