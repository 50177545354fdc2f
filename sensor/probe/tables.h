// The kernel's tables, mapped into this process: read without system calls.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "bpf/records.h"
#include "sensor/base/fd.h"
#include "sensor/base/ids.h"
#include "sensor/base/status.h"
#include "sensor/feature/limit.h"
#include "sensor/probe/bpf_object.h"
#include "sensor/probe/mapped_rows.h"

namespace kvmsentry {

// Move-only. Not thread safe against itself; the kernel's programs run beside it.
class Tables {
 public:
  // Maps the maps of a loaded object. Fresh maps get their layout version, and all get the slots
  // free that are not in use. No program of this run may be attached yet.
  static absl::StatusOr<Tables> Open(const BpfObject& object, const MapSizes& sizes);

  std::span<const ks_vm_row> vms() const { return vms_.rows(); }
  std::span<const ks_vcpu_row> vcpus() const { return vcpus_.rows(); }
  std::span<const ks_exit_row> exits() const { return exits_.rows(); }  // by slot of the vCPU
  std::span<const ks_queue_row> queues() const { return queues_.rows(); }
  std::span<const ks_vm_sets> sets() const { return sets_.rows(); }
  const ks_losses& losses() const { return losses_.rows()[0]; }
  const ks_state& state() const { return state_.rows()[0]; }

  // Sets the limits of the VM in SLOT; those not named are lifted. At most KS_LIMITS_PER_METER a
  // meter are taken. In force from each meter's next occurrence.
  void SetLimits(Slot slot, std::span<const Limit> limits);

  // No exit is being timed: what passed since one began, while nobody saw entries, is not the
  // exit's.
  void ForgetTimings();

  // Takes the limits that were passed and found no room in the ring, as the records that they would
  // have been; of each the latest. Cheap where nothing was lost since the last time.
  std::vector<ks_limit_crossed> TakeUntold();

  // The VM in SLOT is gone: folds the counts of its vCPUs and virtqueues into its row's retired
  // ones and frees their slots, and then its own. Call once the counts have been read for the last
  // time.
  absl::Status Release(Slot slot);

  // Does the same for the virtqueues that have gone while their VM lives. Call once a tick: a row
  // rests until the next one, so that no program still writes to it.
  void FoldQueues();

  // Reads and clears which members every VM that is WANTED has named since the last time; VMs that
  // named none are left out.
  struct Members {
    VmId vm;
    Slot slot = 0;
    std::vector<uint16_t> ports;
    std::vector<uint32_t> msrs_written;
    std::vector<uint64_t> mmio_pages;  // guest addresses at which the pages begin
    std::vector<uint32_t> ioctls;      // KS_IOCTL_MEMBER
    uint64_t mmio_overflow = 0;        // further pages that found no room, some perhaps the same
    uint64_t msr_overflow = 0;         // the same of MSRs
    uint64_t exit_reasons = 0;         // bit N: user-space exit reason N
    uint64_t hypercalls = 0;           // bit N: hypercall N; 63: that, or one above
    std::vector<uint32_t> exits;       // exit_member() of bpf/exit_reason.h

    bool Empty() const {
      return exit_reasons == 0 && hypercalls == 0 && mmio_overflow == 0 && msr_overflow == 0 &&
             ports.empty() && msrs_written.empty() && mmio_pages.empty() && ioctls.empty() &&
             exits.empty();
    }
  };
  std::vector<Members> TakeMembers(const std::function<bool(VmId)>& wanted = [](VmId /*vm*/) {
    return true;
  });

  // User space is alive at NS.
  void Beat(uint64_t ns);

  // Whether the tables are as the programs and this object left them: DATA_LOSS, naming a map that
  // somebody else has changed. Call it every few seconds.
  absl::Status Audit();

 private:
  absl::Status FreeUnusedSlots();
  void TakeSets(Members& members);
  void TakeExits(Slot vcpu, Members& members);
  void FreeVcpu(Slot slot, ks_vm_row& vm);
  void GiveUpQueues(uint64_t vm_serial);

  struct Suspect {
    const char* table;
    uint64_t address;
    Slot slot;
    friend bool operator==(const Suspect&, const Suspect&) = default;
  };

  uint64_t ring_full_ = 0;  // losses when TakeUntold() looked last
  uint64_t beat_ = 0;       // the latest
  uint64_t serials_ = 0;    // drawn by the latest audit
  std::vector<Suspect> suspects_;
  MappedRows<ks_state> state_;
  MappedRows<const ks_losses> losses_;  // frozen: only programs write to it
  MappedRows<ks_vm_row> vms_;
  MappedRows<ks_vcpu_row> vcpus_;
  MappedRows<ks_exit_row> exits_;
  MappedRows<ks_queue_row> queues_;
  MappedRows<ks_vm_limits> limits_;
  MappedRows<ks_vm_sets> sets_;
  Fd vm_slots_, vcpu_slots_, queue_slots_, stray_queues_;
  Fd free_vm_slots_, free_vcpu_slots_, free_queue_slots_;
};

}  // namespace kvmsentry
