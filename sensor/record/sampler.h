// The kernel's counters, once a tick, as observations. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/records.h"
#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

// What a VM has counted, over all its vCPUs and virtqueues, those gone included. Never goes back.
struct VmCounts {
  VmId vm;
  Slot slot = 0;
  uint64_t count[KS_METER_COUNT] = {};
  // Of each meter, what the latest occurrence named on the vCPU that looked at its limits last: the
  // busier a vCPU is, the more often it looks. Virtqueues name nothing.
  uint64_t last[KS_METER_COUNT] = {};
  uint32_t vcpus = 0;
  uint32_t queues = 0;  // virtqueues that vhost serves
};

// Of every VM that is alive or was just replaced. The kernel writes the rows at the same time: each
// count is right, but they are not of one instant.
std::vector<VmCounts> ReadCounts(std::span<const ks_vm_row> vms, std::span<const ks_vcpu_row> vcpus,
                                 std::span<const ks_queue_row> queues);

// Appends an observation for each rate whose meter is in ACTIVE; missing is not zero.
void AppendObservations(const VmCounts& counts, KernelTime time, std::span<const FeatureId> active,
                        bool lossy, std::vector<Observation>& out);

// What makes counts of watched VMs too low, or records of them missing: everything but budgets,
// what VMs without a slot do, which says nothing of others, and interrupts that this kernel never
// lets attribute, which coverage says.
uint64_t LossesThatMatter(const ks_losses& losses);

}  // namespace kvmsentry
