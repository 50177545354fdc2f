#include "sensor/daemon/losses.h"

#include "sensor/base/load.h"

namespace kvmsentry {

std::vector<LossView> DescribeLosses(const ks_losses& kernel, const OtherLosses& other) {
  return {
      {"ring_full", "records that found no room in the ring: told late, by the next tick",
       Load(kernel.ring_full)},
      {"no_vm_slot", "meetings with a VM beyond --max-vms, which is not watched",
       Load(kernel.no_vm_slot)},
      {"no_vcpu_slot", "meetings with a vCPU beyond --max-vcpus, which is not counted",
       Load(kernel.no_vcpu_slot)},
      {"table_update", "failed updates of the kernel's tables of VMs, vCPUs and virtqueues",
       Load(kernel.table_update)},
      {"row_lookup", "slots that led to no row of a table", Load(kernel.row_lookup)},
      {"unattributed", "occurrences that no vCPU could be named for: counted for no VM",
       Load(kernel.unattributed)},
      {"over_budget", "births not told at once in a flood of them: found at the next tick",
       Load(kernel.over_budget)},
      {"no_queue_slot", "occurrences on a virtqueue beyond --max-queues, which is not counted",
       Load(kernel.no_queue_slot)},
      {"queue_unattributed",
       "occurrences on virtqueues that could be of several VMs of a process: counted for no VM",
       Load(kernel.queue_unattributed)},
      {"queue_without_vm", "occurrences on virtqueues of a process that has no VM (yet)",
       Load(kernel.queue_without_vm)},
      {"vfio_unattributed", "ioctls on VFIO of a process with several VMs: counted for no VM",
       Load(kernel.vfio_unattributed)},
      {"vfio_without_vm", "ioctls on VFIO of a process that has no VM",
       Load(kernel.vfio_without_vm)},
      {"irq_unattributed", "interrupts by eventfds and workers, where kvm_set_irq cannot be probed",
       Load(kernel.irq_unattributed)},
      {"missed_return", "calls whose return no kretprobe saw: not counted",
       Load(kernel.missed_return)},
      {"skipped_run", "runs that the kernel left out because the program was running on that CPU",
       other.skipped_runs},
      {"missed_probe", "probes that the kernel left out, for it was inside another one",
       other.missed_probes},
      {"bad_record", "records that could not be read", other.bad_records},
      {"unknown_vm", "observations of a VM that was gone already", other.unknown_vm},
      {"late_observation", "observations judged a tick late", other.late},
      {"walk_failed", "walks over open files that failed: names, deaths or devices told late",
       other.failed_walks},
      {"late_tick", "ticks left out because the one before took too long: counters read late",
       other.late_ticks},
      {"journal_refused", "alerts that the journal did not take: no subscriber gets them",
       other.refused},
  };
}

}  // namespace kvmsentry
