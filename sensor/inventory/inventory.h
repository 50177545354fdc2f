// Which VMs there are, whose they are, what they are called, and which have died.
//
// Programs in the kernel register a VM in the VM table when they first meet it; nothing there sees
// it die. That is found here, from a walk over all open files of all processes: a VM that no
// process holds by an open file is *suspected* to be gone. It need not be: a descriptor may be on
// its way in a unix socket, a process may have mapped a vCPU and closed its file, or be inside
// KVM_RUN on a file that another thread closed. KVM's own count is the audit: COUNT of the latest
// uevent is the number of VMs of the whole host that live, as of that event, and every birth and
// death makes one. So:
//
//   hidden = COUNT - VMs that the walk found, if that is more than nothing
//
// VMs are alive that no walk finds. As many suspects stay: those first suspected, for they were
// shown to be the hidden ones before the others became suspects. The rest are gone. So a VM that
// hides on purpose cannot keep the slots of the dead taken, and if it was itself taken for dead,
// `hidden` still tells. Without a COUNT, before the first uevent and after an overrun, two walks in
// a row decide, and nothing can be said of hidden VMs.
//
// COUNT is of one instant, the walk is not: a VM that died while the walk went on may have been
// counted and not found. So of the hidden only as many are *unknown*, which nothing accounts for,
// as are neither suspects nor may have died during the walk, and that after two walks in a row: a
// VM is counted a moment before it has a descriptor.
//
// A VM that has ended is kept while processes of it live: what became of a VMM that was taken over
// is to be seen as long as it does anything.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bpf/kvm/records.h"
#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/vm.h"
#include "sensor/inventory/device.h"
#include "sensor/inventory/naming.h"
#include "sensor/inventory/process.h"
#include "sensor/inventory/uevent.h"
#include "sensor/inventory/unique_names.h"

namespace kvmsentry {

class ProcessCache;

// A whole walk; one that was broken off would make VMs look dead.
struct Walk {
  KernelTime begin;
  std::span<const ks_open_file> files;
  std::map<int32_t, DeviceList> devices;  // by process, of those that hold a VM
};

struct VmEntry {
  VmFacts facts;
  Slot slot = 0;
  bool exited = false;  // processes of it live on
  friend bool operator==(const VmEntry&, const VmEntry&) = default;
};

enum class GoneReason {
  kClosed,    // no process holds it, and KVM does not count it
  kReplaced,  // another VM lives at its address
  kRowLost,   // its row in the table was freed or reused by another
};

struct VmGone {
  VmId id;
  Slot slot = 0;
  GoneReason reason = GoneReason::kClosed;
  friend bool operator==(const VmGone&, const VmGone&) = default;
};

struct InventoryChanges {
  // In order of serial. A VM may appear and be gone at once: its life was too short for more.
  // Unless the reason is kRowLost, the caller marks the row dead, so that its slot can be used
  // again.
  std::vector<VmEntry> appeared, changed;
  // Have ended, and processes of them live on: the caller marks their rows dead and keeps them.
  // They are gone once the last process is.
  std::vector<VmEntry> exited;
  std::vector<VmGone> gone;
  friend bool operator==(const InventoryChanges&, const InventoryChanges&) = default;
};

// A VM that a walk found and that has no row: one that has no vCPU yet, or that no program has met
// yet, or that found no free slot.
struct UnwatchedVm {
  uint64_t kvm = 0;
  int32_t pid = 0;
  std::string name;  // as its VMM names it, not made unique
  bool has_vcpu = false;
  std::vector<int32_t> holders{};  // processes
  friend bool operator==(const UnwatchedVm&, const UnwatchedVm&) = default;
};

// Pure but for what it reads of processes, through READER, which must outlive it. Not thread safe.
class Inventory {
 public:
  // LIVES_ON tells whether processes live of a VM that has ended; none: nothing does.
  using LivesOn = std::function<bool(VmId vm, Slot slot)>;
  // At most MAX_EXITED such VMs are kept: a newer one takes the place of the oldest.
  static constexpr size_t kMaxExited = 64;
  explicit Inventory(ProcessReader* reader, LivesOn lives_on = nullptr,
                     size_t max_exited = kMaxExited)
      : reader_(reader), lives_on_(std::move(lives_on)), max_exited_(max_exited) {}

  // In the order they came. All that came before a walk, then BeginWalk(), then the walk, then all
  // that came meanwhile, then the Sync with it.
  void OnUevent(const KvmUevent& event);
  void OnUeventsLost();
  void BeginWalk();

  // ROWS are a copy of those of the VM table that are in use, taken after WALK ended if there is
  // one: a VM that was registered in between is then not mistaken for unwatched.
  //
  // A VM's process, for its name, uuid and cgroup, is one that holds its files: its creator if it
  // is one of them, else that with the lowest pid. Before the first walk it is its creator, unless
  // that is younger than the VM, its pid reused. A VM appears, and if need be is gone, once its
  // creator was read or is not pending any more. The name and uuid that a VMM was given are read
  // once for the VM's life, so that it cannot rename itself, neither by overwriting its arguments
  // nor by handing its files on to another process; the cgroup is read again now and then. The name
  // of one that has ended is free for another, whatever processes live on.
  InventoryChanges Sync(std::span<const ks_vm_row> rows, const Walk* walk, KernelTime now);

  // As of the latest walk, the four. Of the unwatched VMs at most 64 are listed.
  const std::vector<UnwatchedVm>& unwatched() const { return unwatched_; }
  uint64_t unwatched_count() const { return unwatched_count_; }
  // VMs that KVM counts and no walk finds.
  uint64_t hidden() const { return hidden_; }
  // Of these at least so many nothing knows: they have no row either, and did not die during the
  // walk. nullopt where that cannot be told: there is no COUNT, or as many died.
  std::optional<uint64_t> unknown() const { return unknown_; }

  // As of the latest walk that found the VM, kMaxDevices at most; none of a VM that is not known.
  DeviceList DevicesOf(VmId vm) const;
  DeviceList DevicesOf(const UnwatchedVm& vm) const { return DevicesOf(vm.holders); }

 private:
  struct Vm {
    Slot slot = 0;
    uint64_t kvm = 0;
    KernelTime first;
    int32_t creator = 0;
    bool appeared = false;
    std::optional<GoneReason> gone;  // found before it appeared
    uint64_t exited = 0;             // processes of it live on: the how many-th such one; 0: no
    VmFacts facts;
    VmNaming naming;  // as its process tells, before the name is made unique
    KernelTime read_at;
    std::vector<int32_t> holders;         // processes, as of the latest walk that found it
    std::optional<KernelTime> suspected;  // since this walk
    int suspected_walks = 0;
  };
  // Of a VM, as a walk found them.
  struct Holders {
    std::set<int32_t> pids;
    uint32_t creator = 0;
    bool has_vcpu = false;
  };
  using Held = std::map<uint64_t, Holders>;  // by address of struct kvm
  using Vms = std::map<uint64_t, Vm>;        // by serial

  static Held HeldIn(const Walk& walk);
  void TakeRows(std::span<const ks_vm_row> rows, InventoryChanges* changes);
  void JudgeExited(InventoryChanges* changes);
  bool IsExited(uint64_t serial) const;
  void Keep(Vms::iterator vm, InventoryChanges* changes);
  void DropOldestExited(InventoryChanges* changes);
  void Judge(const Walk& walk, const Held& held, InventoryChanges* changes);
  void Audit(size_t suspects);
  // At once, or after it has appeared, or once its processes have ended too: the next one.
  Vms::iterator Remove(Vms::iterator vm, GoneReason reason, InventoryChanges* changes);
  Vms::iterator Drop(Vms::iterator vm, GoneReason reason, InventoryChanges* changes);
  void Tell(Vm* vm, const Holders* holders, ProcessCache* processes, KernelTime now,
            InventoryChanges* changes);
  std::optional<int32_t> ChooseProcess(const Vm& vm, const Holders* holders,
                                       ProcessCache* processes);
  void Describe(Vm* vm, const Holders* holders, ProcessCache* processes, KernelTime now);
  void Adopt(Vm* vm, VmNaming naming);
  void ListUnwatched(const Held& held, ProcessCache* processes);
  void TakeDevices(const Walk& walk, const Held& held);
  DeviceList DevicesOf(std::span<const int32_t> holders) const;

  ProcessReader* reader_;
  LivesOn lives_on_;
  size_t max_exited_;
  uint64_t exits_ = 0;  // VMs that were kept for their processes
  std::optional<uint64_t> count_;
  std::optional<uint64_t> walk_count_;  // that of the walk's beginning
  uint64_t deaths_ = 0;                 // since then
  Vms vms_;
  std::map<uint64_t, Slot> told_;  // gone by our word, with a row that does not say so yet
  UniqueNames names_;
  std::vector<UnwatchedVm> unwatched_;
  uint64_t unwatched_count_ = 0;
  uint64_t hidden_ = 0;
  uint64_t unaccounted_ = 0;  // of the hidden, as of the latest walk alone
  std::optional<uint64_t> unknown_;
  std::map<int32_t, DeviceList> devices_;  // by process, as of the latest walk
  // By process, the serial of the VM that its devices are, of those that it holds: a VMM must not
  // get out of sight by creating another.
  std::map<int32_t, uint64_t> oldest_of_;
};

}  // namespace kvmsentry
