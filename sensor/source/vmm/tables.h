// The tables of the source vmm.
#pragma once

#include "bpf/vmm/records.h"
#include "sensor/source/vm_tables.h"

namespace kvmsentry {

using VmmTables = VmTables<ks_vmm_vm_row, ks_vmm_limits, ks_vmm_losses>;

}  // namespace kvmsentry
