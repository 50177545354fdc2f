#include "sensor/record/sampler.h"

#include <cstddef>

#include "sensor/base/load.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

void AddVcpu(const ks_vcpu_row& vcpu, VmCounts& counts, uint64_t (&latest)[KS_METER_COUNT]) {
  ++counts.vcpus;
  for (uint32_t meter = 0; meter < KS_METERS_OF_VCPU; ++meter) {
    const uint64_t count = Load(vcpu.meters[meter].count);
    const uint64_t looked = Load(vcpu.meters[meter].folded_ns);
    counts.count[meter] += count;
    if (count == 0 || looked < latest[meter]) continue;
    latest[meter] = looked;
    counts.last[meter] = Load(vcpu.meters[meter].last);
  }
}

void AddQueue(const ks_queue_row& queue, VmCounts& counts) {
  if (Load(queue.queue) != 0) ++counts.queues;
  for (uint32_t meter = 0; meter < KS_METERS_OF_QUEUE; ++meter) {
    counts.count[KS_METER_VHOST_RUN + meter] += Load(queue.meters[meter].count);
  }
}

}  // namespace

std::vector<VmCounts> ReadCounts(std::span<const ks_vm_row> vms, std::span<const ks_vcpu_row> vcpus,
                                 std::span<const ks_queue_row> queues) {
  struct Sum {
    VmCounts counts;
    uint64_t latest[KS_METER_COUNT] = {};
  };
  std::vector<Sum> sums(vms.size());
  for (Slot slot = 0; slot < vms.size(); ++slot) {
    const uint32_t state = Load(vms[slot].state);
    if (state != KS_VM_ALIVE && state != KS_VM_REPLACED) continue;
    VmCounts& counts = sums[slot].counts;
    counts.vm = {Load(vms[slot].serial)};
    counts.slot = slot;
    for (size_t meter = 0; meter < KS_METER_COUNT; ++meter) {
      counts.count[meter] = Load(vms[slot].retired[meter]);
    }
    for (size_t meter = 0; meter < KS_METERS_OF_VM; ++meter) {
      counts.count[KS_METERS_OF_VCPU + meter] += Load(vms[slot].meters[meter].count);
    }
  }
  for (const ks_vcpu_row& vcpu : vcpus) {
    const uint64_t serial = Load(vcpu.vm_serial);
    const uint32_t slot = Load(vcpu.vm_slot);
    if (serial == 0 || slot >= sums.size() || sums[slot].counts.vm.serial != serial) continue;
    AddVcpu(vcpu, sums[slot].counts, sums[slot].latest);
  }
  for (const ks_queue_row& queue : queues) {
    const uint64_t serial = Load(queue.vm_serial);
    const uint32_t slot = Load(queue.vm_slot);
    if (serial == 0 || slot >= sums.size() || sums[slot].counts.vm.serial != serial) continue;
    AddQueue(queue, sums[slot].counts);
  }
  std::vector<VmCounts> all;
  for (const Sum& sum : sums) {
    if (sum.counts.vm.serial != 0) all.push_back(sum.counts);
  }
  return all;
}

void AppendObservations(const VmCounts& counts, KernelTime time, std::span<const FeatureId> active,
                        bool lossy, std::vector<Observation>& out) {
  for (const FeatureId id : active) {
    const Feature& feature = FeatureOf(id);
    if (!feature.meter) continue;
    Observation observation{.time = time,
                            .vm = counts.vm,
                            .kind = ObservationKind::kCount,
                            .feature = id,
                            .serial = out.size(),
                            .value = counts.count[*feature.meter],
                            .window_ns = 0,
                            .detail = {},
                            .lossy = lossy};
    if (feature.member != nullptr && observation.value != 0) {
      observation.detail = counts.last[*feature.meter];
    }
    out.push_back(observation);
  }
}

uint64_t LossesThatMatter(const ks_losses& losses) {
  return Load(losses.ring_full) + Load(losses.no_vcpu_slot) + Load(losses.table_update) +
         Load(losses.row_lookup) + Load(losses.unattributed) + Load(losses.no_queue_slot) +
         Load(losses.queue_unattributed) + Load(losses.vfio_unattributed) +
         Load(losses.missed_return);
}

}  // namespace kvmsentry
