// Which slots are free as a run begins.
//
// An earlier run may have been killed at any point of a release: a row is then dead and nobody's to
// release, or a slot is neither free nor in use. And its programs may stay attached for a moment.
// So the queues are emptied first, and whatever took a slot out of one before is waited for: then
// each slot whose row is not in use is free.
#include <cerrno>

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sensor/base/load.h"
#include "sensor/probe/tables.h"

namespace kvmsentry {
namespace {

void Drain(int queue) {
  Slot slot = 0;
  while (bpf_map_lookup_and_delete_elem(queue, nullptr, &slot) == 0) continue;
}

// Programs run under RCU, and this waits for all that run (kernel/sched/membarrier.c). False where
// the kernel does not offer it, as with nohz_full.
bool WaitForPrograms() { return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0; }

template <typename Row>
absl::Status Fill(int queue, std::span<const Row> rows, uint64_t Row::*owner) {
  for (Slot slot = 0; slot < rows.size(); ++slot) {
    if (Load(rows[slot].*owner) != 0) continue;
    if (bpf_map_update_elem(queue, nullptr, &slot, BPF_ANY) != 0) {
      return absl::ErrnoToStatus(errno, "filling the free slots");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Tables::FreeUnusedSlots() {
  const bool fresh = Load(state().layout_version) != KS_LAYOUT_VERSION;
  if (!fresh && !WaitForPrograms()) return absl::OkStatus();
  for (Slot slot = 0; slot < vms().size(); ++slot) {
    const ks_vm_row& vm = vms()[slot];
    if (Load(vm.serial) != 0 && Load(vm.state) == KS_VM_DEAD)
      KVMSENTRY_RETURN_IF_ERROR(Release(slot));
  }
  for (const Fd* queue : {&free_vm_slots_, &free_vcpu_slots_, &free_queue_slots_}) {
    Drain(queue->get());
  }
  if (!fresh) WaitForPrograms();
  KVMSENTRY_RETURN_IF_ERROR(Fill(free_vm_slots_.get(), vms(), &ks_vm_row::serial));
  KVMSENTRY_RETURN_IF_ERROR(Fill(free_vcpu_slots_.get(), vcpus(), &ks_vcpu_row::vm_serial));
  return Fill(free_queue_slots_.get(), queues(), &ks_queue_row::vm_serial);
}

}  // namespace kvmsentry
