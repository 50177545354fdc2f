// The VMs that are watched now, as the inventory tells them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/time/time.h"

#include "sensor/base/ids.h"
#include "sensor/given/given_book.h"
#include "sensor/inventory/inventory.h"

namespace kvmsentry {

// Never changed once it is shared.
struct VmRecord {
  VmEntry entry;
  absl::Time first_seen;
  bool born_here = false;  // in this run: no gap between two runs lies in its life
  std::shared_ptr<const DeviceList> devices = std::make_shared<const DeviceList>();
  std::shared_ptr<const GivenRecord> given = nullptr;  // nullptr: not read yet
  absl::Time given_changed_at = {};                    // if it has
};

// Not thread safe; its records may be read by any thread.
class VmRegistry {
 public:
  using Records = std::map<VmId, std::shared_ptr<const VmRecord>>;

  bool Knows(VmId vm) const { return records_.contains(vm); }
  // nullptr: not known.
  const VmRecord* Find(VmId vm) const;
  // A new VM, or new facts of one that is known: of that only the entry is taken.
  void Put(VmRecord record);
  void Remove(VmId vm) { records_.erase(vm); }
  // As of the latest walk. Returns the VMs whose devices have changed.
  std::vector<VmId> TakeDevices(const Inventory& inventory);

  // The same of what they were given. One that is read for the first time has not changed.
  // WALL is the wall clock's time at a time of the kernel's.
  struct TakenGiven {
    VmId vm;
    bool changed = false;
    friend bool operator==(const TakenGiven&, const TakenGiven&) = default;
  };
  std::vector<TakenGiven> TakeGiven(const GivenRecords& given,
                                    const std::function<absl::Time(KernelTime)>& wall);

  const Records& records() const { return records_; }

 private:
  Records records_;
};

}  // namespace kvmsentry
