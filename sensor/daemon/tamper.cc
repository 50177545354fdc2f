#include "sensor/daemon/tamper.h"

#include <algorithm>
#include <map>

#include "sensor/base/load.h"

namespace kvmsentry {

bool WasForgotten(std::span<const ks_vm_row> rows, Slot slot) {
  const ks_vm_row& row = rows[slot];
  return Load(row.state) == KS_VM_ALIVE && std::ranges::any_of(rows, [&](const ks_vm_row& other) {
           return Load(other.kvm) == Load(row.kvm) && Load(other.serial) > Load(row.serial) &&
                  Load(other.born_seen) == 0;
         });
}

bool WentBack(std::span<const VmCounts> before, std::span<const VmCounts> now) {
  std::map<VmId, const VmCounts*> earlier;
  for (const VmCounts& counts : before) earlier[counts.vm] = &counts;
  return std::ranges::any_of(now, [&](const VmCounts& counts) {
    const auto known = earlier.find(counts.vm);
    if (known == earlier.end()) return false;
    for (size_t meter = 0; meter < KS_METER_COUNT; ++meter) {
      if (counts.count[meter] < known->second->count[meter]) return true;
    }
    return false;
  });
}

}  // namespace kvmsentry
