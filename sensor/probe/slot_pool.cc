#include "sensor/probe/slot_pool.h"

#include <cerrno>

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace kvmsentry {
namespace {

absl::StatusOr<Fd> Duplicate(int fd, absl::string_view name) {
  Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return absl::ErrnoToStatus(errno, absl::StrCat("maps of ", name));
  return copy;
}

}  // namespace

bool WaitForPrograms() { return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0; }

absl::StatusOr<SlotPool> SlotPool::Open(int entries_fd, int free_fd, int used_fd, size_t slots,
                                        absl::string_view name) {
  SlotPool pool;
  KVMSENTRY_ASSIGN_OR_RETURN(pool.entries_, Duplicate(entries_fd, name));
  KVMSENTRY_ASSIGN_OR_RETURN(pool.free_, Duplicate(free_fd, name));
  KVMSENTRY_ASSIGN_OR_RETURN(pool.used_, RowsInUse::Map(used_fd, slots, name));
  pool.slots_ = slots;
  return pool;
}

bool SlotPool::Find(uint64_t address, Slot* slot) const {
  uint64_t entry = 0;
  if (bpf_map_lookup_elem(entries_.get(), &address, &entry) != 0) return false;
  *slot = static_cast<Slot>(entry);
  return true;
}

void SlotPool::Forget(uint64_t address, Slot slot, const std::function<void(Slot)>& retire) {
  uint64_t stale = 0;
  if (address == 0 || bpf_map_lookup_elem(entries_.get(), &address, &stale) != 0) return;
  if (static_cast<Slot>(stale) != slot) return;
  uint64_t found = 0;
  if (bpf_map_lookup_and_delete_elem(entries_.get(), &address, &found) != 0 || found == stale) {
    return;
  }
  if (bpf_map_update_elem(entries_.get(), &address, &found, BPF_NOEXIST) == 0) return;
  retire(static_cast<Slot>(found));
}

absl::Status SlotPool::Free(Slot slot) {
  used_.Clear(slot);
  if (bpf_map_update_elem(free_.get(), nullptr, &slot, BPF_ANY) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("freeing slot ", slot));
}

absl::Status SlotPool::Recover(bool fresh, const std::function<bool(Slot)>& is_used) {
  if (!fresh && !WaitForPrograms()) return absl::OkStatus();
  Slot taken = 0;
  while (bpf_map_lookup_and_delete_elem(free_.get(), nullptr, &taken) == 0) continue;
  if (!fresh) WaitForPrograms();
  for (Slot slot = 0; slot < slots_; ++slot) {
    if (used_.Has(slot) && is_used(slot)) continue;
    KVMSENTRY_RETURN_IF_ERROR(Free(slot));
  }
  return absl::OkStatus();
}

}  // namespace kvmsentry
