// What the daemon does at each tick to know which VMs there are, without judging them: uevents,
// walks, the inventory, and the last look at a VM that is gone before its slot is given back.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include <sys/types.h>

#include "sensor/inventory/inventory.h"
#include "sensor/inventory/process.h"
#include "sensor/inventory/uevent.h"
#include "sensor/inventory/walk_schedule.h"
#include "sensor/source/registry.h"

namespace kvmsentry {

// Not thread safe. SOURCES outlive it.
class Watch {
 public:
  static absl::StatusOr<Watch> Open(Sources& sources);

  absl::Status Tick();

  struct Life {
    VmEntry entry;  // empty where it lived for less than a tick
    pid_t creator = 0;
    KvmCounts counts;  // the last
    bool gone = false;
  };
  // Of all VMs of the host since Open, by serial.
  const std::map<uint64_t, Life>& lives() const { return lives_; }
  // Those that a thread with this id made, in the order of their birth.
  std::vector<const Life*> LivesOf(pid_t creator) const;
  size_t CountGone(pid_t creator) const;

  const Inventory& inventory() const { return inventory_; }
  uint64_t walks() const { return walks_; }
  // The most VMs that a walk left unknown, and walks that could be audited by KVM's count.
  uint64_t most_unknown() const { return most_unknown_; }
  uint64_t audited() const { return audited_; }

 private:
  Watch(Sources& sources, UeventSocket uevents)
      : sources_(&sources), uevents_(std::move(uevents)) {}
  absl::Status TakeUevents();

  Sources* sources_;
  UeventSocket uevents_;
  std::unique_ptr<ProcFs> processes_ = std::make_unique<ProcFs>();
  Inventory inventory_{processes_.get()};
  WalkSchedule schedule_;
  std::map<uint64_t, Life> lives_;
  uint64_t walks_ = 0;
  uint64_t most_unknown_ = 0;
  uint64_t audited_ = 0;
};

}  // namespace kvmsentry
