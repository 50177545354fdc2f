// What of the source kvm is BPF: its maps, programs and hooks.
#pragma once

#include <span>

#include "sensor/probe/map_plan.h"

namespace kvmsentry {

const BpfSource& KvmBpf();

std::span<const Hook> KvmHooks();

}  // namespace kvmsentry
