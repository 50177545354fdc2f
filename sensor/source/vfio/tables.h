// The tables of the source vfio.
#pragma once

#include "bpf/vfio/records.h"
#include "sensor/source/vm_tables.h"

namespace kvmsentry {

using VfioTables = VmTables<ks_vfio_vm_row, ks_vfio_limits, ks_vfio_losses>;

}  // namespace kvmsentry
