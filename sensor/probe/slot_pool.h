// The slots of a table, as user space sees them: which are free, which are in use, and which
// address leads to which (bpf/entry.bpf.h).
#pragma once

#include <cstdint>
#include <functional>

#include "sensor/base/fd.h"
#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/probe/row_table.h"

namespace kvmsentry {

// Move-only. Not thread safe against itself; programs take slots beside it.
class SlotPool {
 public:
  // The descriptors are duplicated.
  static absl::StatusOr<SlotPool> Open(int entries_fd, int free_fd, int used_fd, size_t slots,
                                       absl::string_view name);

  const RowsInUse& used() const { return used_; }
  size_t size() const { return slots_; }

  // The slot that ADDRESS leads to; false where it leads nowhere.
  bool Find(uint64_t address, Slot* slot) const;

  // Deletes the entry of ADDRESS if it still leads to SLOT. A hash map cannot delete by compare:
  // where a program has made another of it in between, that is put back. If a program registered
  // the object once more before that, two rows claim it: RETIRE is called with the slot of the
  // older one.
  void Forget(uint64_t address, Slot slot, const std::function<void(Slot)>& retire);

  // SLOT is free, its row empty.
  absl::Status Free(Slot slot);

  // As a run begins: empties the queue of free slots, waits for whatever took one out before, and
  // then frees each slot whose row IS_USED denies. An earlier run may have been killed at any point
  // of a release, and its programs may stay attached for a moment. FRESH: there was none.
  absl::Status Recover(bool fresh, const std::function<bool(Slot)>& is_used);

 private:
  Fd entries_, free_;
  RowsInUse used_;
  size_t slots_ = 0;
};

// Waits for all programs that run now: they run under RCU (kernel/sched/membarrier.c). False where
// the kernel does not offer it, as with nohz_full.
bool WaitForPrograms();

}  // namespace kvmsentry
