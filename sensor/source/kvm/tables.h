// The tables of the source kvm, mapped into this process: read without system calls.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bpf/kvm/records.h"
#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/feature/limit.h"
#include "sensor/probe/mapped_rows.h"
#include "sensor/probe/probe.h"
#include "sensor/probe/row_table.h"
#include "sensor/probe/slot_pool.h"
#include "sensor/source/kvm/exits.h"
#include "sensor/source/kvm/owners.h"
#include "sensor/source/limit_table.h"
#include "sensor/source/shared_state.h"

namespace kvmsentry {

// Reads rows in use only, and takes time by their number. Move-only. Not thread safe against
// itself; the kernel's programs run beside it.
class KvmTables {
 public:
  // Maps the maps that PROBE has made. All slots that are not in use are free then. No program of
  // this run may be attached yet.
  static absl::StatusOr<KvmTables> Open(const Probe& probe, SharedState& state);

  UsedRows<const ks_vm_row> vms() const { return {vms_, vm_pool_.used()}; }
  UsedRows<const ks_vcpu_row> vcpus() const { return {vcpus_, vcpu_pool_.used()}; }
  const ks_exit_row& exits_of(Slot vcpu) const { return exits_[vcpu]; }
  const ks_kvm_sets& sets_of(Slot vm) const { return sets_[vm]; }
  const ks_kvm_losses& losses() const { return losses_.rows()[0]; }

  // Why all vCPUs left their guests. Any thread may ask.
  std::vector<VcpuExits> ReadExits() const;

  // A copy of each row of a VM, in the order of slots.
  std::vector<ks_vm_row> CopyVms() const;

  // The slots of the vCPUs of the VM in SLOT.
  const std::vector<Slot>& VcpusOf(Slot slot) const;

  // Sets the limits of the VM in SLOT; those not named are lifted. At most kLimitsPerMeter a meter
  // are taken. In force from each meter's next occurrence.
  void SetLimits(Slot slot, std::span<const Limit> limits);

  // No exit is being timed: what passed since one began, while nobody saw entries, is not the
  // exit's. Any thread may say so.
  void ForgetTimings();

  // Takes the limits that were passed and found no room in the ring, as the records that they would
  // have been; of each the latest. Cheap where nothing was lost since the last time.
  std::vector<ks_limit_crossed> TakeUntold();
  void GiveLimitsBack() { limits_.GiveBack(); }

  // The VM in SLOT is gone: folds the counts of its vCPUs into its row's retired ones and frees
  // their slots. Call once the counts have been read for the last time. Its own slot is kept, until
  // Release(). Once more does nothing more.
  void Retire(Slot slot);
  // The same, and frees its slot. NOT_FOUND: it is free.
  absl::Status Release(Slot slot);

  // From now on THINGS, and nothing else but its address space, are of VM.
  absl::Status Own(const VmPlace& vm, const std::vector<OwnedThing>& things) {
    return owners_.Say(vm, things);
  }

  // Call once a tick.
  void CollectOwners() {
    if (owners_.WantsRows()) owners_.Collect(vms());
  }

  // Whether the VM in SLOT was found a second time, as if it were new: only where births are
  // hooked, for then a VM at an address that is used again is seen to be born, and the row before
  // it is marked.
  bool WasForgotten(Slot slot) const;

  // A port, or the guest address at which a page begins, and how it was accessed.
  struct Access {
    uint64_t place = 0;
    uint32_t size = 0;   // in bytes; 0: not known
    uint32_t count = 0;  // by one instruction
    friend bool operator==(const Access&, const Access&) = default;
  };
  // What VMs have named since the last time.
  struct Members {
    VmId vm;
    Slot slot = 0;
    std::vector<Access> ports;
    std::vector<uint32_t> msrs_written;
    std::vector<Access> mmio_pages;
    std::vector<uint32_t> ioctls;  // KS_IOCTL_MEMBER
    uint64_t mmio_overflow = 0;    // further pages that found no room, some perhaps the same
    uint64_t msr_overflow = 0;     // the same of MSRs
    uint64_t exit_reasons = 0;     // bit N: user-space exit reason N
    uint64_t hypercalls = 0;       // bit N: hypercall N; 63: that, or one above
    uint64_t protection_lost = 0;  // bit N: ks_protection N
    uint64_t rewritten = 0;        // bit N: ks_registers N
    uint64_t overrun = 0;          // bit N: ks_overrun N
    uint64_t panicked = 0;         // bit N: ks_panic N
    std::vector<uint32_t> exits;   // exit_member() of bpf/kvm/exit_reason.h

    // For VM, with the room that its lists have.
    void Begin(VmId vm_now, Slot slot_now);
    bool Empty() const {
      return exit_reasons == 0 && hypercalls == 0 && protection_lost == 0 && rewritten == 0 &&
             overrun == 0 && panicked == 0 && mmio_overflow == 0 && msr_overflow == 0 &&
             ports.empty() && msrs_written.empty() && mmio_pages.empty() && ioctls.empty() &&
             exits.empty();
    }
  };
  // Reads and clears which members every VM that is WANTED has named since the last time; VMs that
  // named none are left out. Valid until the next call: they keep their room, for most VMs name
  // some at every tick.
  std::span<const Members> TakeMembers(const std::function<bool(VmId)>& wanted = [](VmId /*vm*/) {
    return true;
  });

  // DATA_LOSS, naming a map that somebody else has changed.
  absl::Status Audit();

 private:
  void TakeSets(Members& members);
  static void TakeFew(ks_kvm_sets& sets, Members& members);
  void TakeExits(Slot vcpu, Members& members);
  void FreeVcpu(Slot slot, ks_vm_row& vm);
  void IndexVcpus() const;

  struct Suspect {
    const char* table;
    uint64_t address;
    Slot slot;
    friend bool operator==(const Suspect&, const Suspect&) = default;
  };

  std::vector<Suspect> suspects_;
  MappedRows<const ks_kvm_losses> losses_;  // frozen: only programs write to it
  SlotPool vm_pool_, vcpu_pool_;
  Owners owners_;
  RowTable<ks_vm_row> vms_;
  RowTable<ks_vcpu_row> vcpus_;
  RowTable<ks_exit_row> exits_;
  LimitTable<ks_kvm_limits> limits_;
  RowTable<ks_kvm_sets> sets_;
  std::vector<Members> members_;                     // those of TakeMembers(), and room for more
  mutable std::vector<std::vector<Slot>> vcpus_of_;  // by slot of the VM, as of the latest look
};

// Whether LATEST, to which the entry of an address leads, is of the VM of ROW once more.
bool WasMetTwice(const ks_vm_row& row, const ks_vm_row& latest);

}  // namespace kvmsentry
