// The tables of the source vhost, mapped into this process: read without system calls.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "bpf/vhost/records.h"
#include "sensor/base/fd.h"
#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/feature/limit.h"
#include "sensor/probe/mapped_rows.h"
#include "sensor/probe/probe.h"
#include "sensor/probe/row_table.h"
#include "sensor/probe/slot_pool.h"
#include "sensor/source/limit_table.h"
#include "sensor/source/shared_state.h"
#include "sensor/source/source.h"
#include "sensor/source/vhost/queue_parts.h"

namespace kvmsentry {

// What a VM has counted, over all its virtqueues, those gone included. Never goes back.
struct VhostCounts {
  VmPlace vm;
  uint64_t count[KS_VHOST_METERS] = {};
  uint32_t queues = 0;  // virtqueues that vhost serves
};

struct VhostMembers {
  std::vector<uint32_t> ioctls;         // by number
  std::vector<uint32_t> refused;        // those among them that the kernel refused
  std::vector<uint32_t> rings_outside;  // ks_ring: set up outside of the VM's memory
};

// Move-only. Not thread safe against itself; the kernel's programs run beside it.
class VhostTables {
 public:
  // As KvmTables::Open().
  static absl::StatusOr<VhostTables> Open(const Probe& probe, SharedState& state);

  UsedRows<const ks_queue_row> queues() const { return {queues_, pool_.used()}; }
  const ks_vhost_losses& losses() const { return losses_.rows()[0]; }

  // The VMs that have rows here.
  std::vector<VmPlace> Places() const;

  // Of every VM that has or had a queue, in the order of slots.
  std::vector<VhostCounts> ReadCounts() const;
  VhostCounts CountsOf(const VmPlace& vm) const;

  // The slots of the queues of VM, those included that are gone and rest. Takes time by their
  // number, but where the VM has got or lost one since the latest FoldQueues().
  std::vector<Slot> QueuesOf(const VmPlace& vm) const;

  // Their rows, in the order in which these were made.
  std::vector<QueueParts::Row> ReadQueues(const VmPlace& vm) const;

  void SetLimits(const VmPlace& vm, std::span<const Limit> limits);
  std::vector<ks_limit_crossed> TakeUntold();
  void GiveLimitsBack() { limits_.GiveBack(); }

  // What was seen of VM's devices since the last time.
  VhostMembers TakeMembers(const VmPlace& vm);

  // VM is gone: gives its queues up, to be folded, and frees its own row.
  void Release(const VmPlace& vm);

  // Folds the counts of queues that are gone into their VM's retired ones and frees their slots.
  // Call once a tick: a row rests until the next one, so that no program still writes to it.
  void FoldQueues();

 private:
  bool IsOf(const VmPlace& vm) const;
  void IndexQueues() const;

  MappedRows<const ks_vhost_losses> losses_;
  SlotPool pool_;
  RowTable<ks_queue_row> queues_;
  RowsInUse vms_used_;
  RowTable<ks_vhost_vm_row> vms_;
  LimitTable<ks_vhost_limits> limits_;
  Fd stray_queues_;
  mutable std::vector<std::pair<Slot, Slot>> index_;  // of a VM, of a queue of it; ordered
};

}  // namespace kvmsentry
