#include "sensor/source/kvm/counts.h"

#include <algorithm>

#include "sensor/base/load.h"
#include "sensor/source/observe.h"

namespace kvmsentry {

const KvmCounts* KvmTally::Find(const VmPlace& vm) const {
  const auto found = std::ranges::lower_bound(vms_, vm.slot, {}, &KvmCounts::slot);
  return found != vms_.end() && found->vm == vm.vm ? &*found : nullptr;
}

void KvmTally::Show(const VmPlace& vm, VmDetails* details) const {
  const KvmCounts* counts = Find(vm);
  if (counts == nullptr) return;
  details->vcpus = counts->vcpus;
  details->born_seen = counts->born_seen;
  details->incomplete |= counts->incomplete;
  ShowCounts(SourceId::kKvm, counts->count, details);
}

void KvmCounter::AddVm(const ks_vm_row& row) {
  const uint32_t state = Load(row.state);
  if (state != KS_VM_ALIVE && state != KS_VM_REPLACED) return;
  KvmCounts& counts = counts_.emplace_back();
  counts.vm = {Load(row.serial)};
  counts.slot = Load(row.slot);
  counts.born_seen = Load(row.born_seen) != 0;
  counts.incomplete = Load(row.incomplete) != 0;
  for (size_t meter = 0; meter < KS_METERS_OF_VCPU; ++meter) {
    counts.count[meter] = Load(row.retired[meter]);
  }
  for (size_t meter = 0; meter < KS_METERS_OF_VM; ++meter) {
    counts.count[KS_METERS_OF_VCPU + meter] = Load(row.meters[meter].count);
  }
  latest_.emplace_back();
}

void KvmCounter::AddVcpu(const ks_vcpu_row& row) {
  const uint64_t serial = Load(row.vm_serial);
  if (Load(row.published) == 0) return;  // of two that were filled at once, one is given back
  const auto found = std::ranges::lower_bound(counts_, Load(row.vm_slot), {}, &KvmCounts::slot);
  if (serial == 0 || found == counts_.end() || found->slot != Load(row.vm_slot) ||
      found->vm.serial != serial) {
    return;
  }
  Times& latest = latest_[static_cast<size_t>(found - counts_.begin())];
  ++found->vcpus;
  for (uint32_t meter = 0; meter < KS_METERS_OF_VCPU; ++meter) {
    const uint64_t count = Load(row.meters[meter].count);
    const uint64_t looked = Load(row.meters[meter].folded_ns);
    found->count[meter] += count;
    if (count == 0 || looked < latest[meter]) continue;
    latest[meter] = looked;
    found->last[meter] = Load(row.meters[meter].last);
  }
}

}  // namespace kvmsentry
