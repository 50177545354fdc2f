// Signs that somebody else writes to the maps, that show in what the loop reads anyway. Pure.
#pragma once

#include <span>

#include "bpf/records.h"
#include "sensor/base/ids.h"
#include "sensor/record/sampler.h"

namespace kvmsentry {

// Whether the VM in SLOT was found a second time, as if it were new: only where births are hooked,
// for then a VM at an address that is used again is seen to be born, and the row before it is
// marked.
bool WasForgotten(std::span<const ks_vm_row> rows, Slot slot);

// Whether a sum has gone back: KVM's counters never do.
bool WentBack(std::span<const VmCounts> before, std::span<const VmCounts> now);

}  // namespace kvmsentry
