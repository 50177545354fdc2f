// What of the source resource is BPF: its maps, programs and hooks.
#pragma once

#include <span>

#include "sensor/probe/map_plan.h"

namespace kvmsentry {

const BpfSource& ResourceBpf();

}  // namespace kvmsentry
