// The KVM API in three owners: the device, a VM with its memory, a vCPU. Interrupt controllers are
// created in the kernel only for guests that need them, so that HLT comes back to the VMM.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <linux/kvm.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "tests/guest/cpuid_list.h"
#include "tests/guest/handles.h"
#include "tests/guest/workload.h"

namespace kvmsentry::guest {

inline constexpr size_t kMostCpuid = 256;  // entries: more than KVM ever returns

// /dev/kvm, and what it says about every guest.
class Kvm {
 public:
  static absl::StatusOr<Kvm> Open();

  int Fd() const { return fd_.get(); }
  size_t RunSize() const { return run_size_; }
  // All that this host can give a guest.
  const CpuidList<kMostCpuid>& Cpuid() const { return cpuid_; }
  // 2^bits bounds guest-physical addresses.
  uint32_t PhysicalAddressBits() const;
  // Whether a guest can run guests of its own by AMD's SVM.
  bool NestsSvm() const;

 private:
  Kvm() = default;

  UniqueFd fd_;
  size_t run_size_ = 0;
  CpuidList<kMostCpuid> cpuid_ = {};
};

// Why KVM_RUN came back, as far as a healthy guest goes.
enum class Exit { kIo, kMmio, kHlt, kIntr, kRingFull };

// What a vCPU's dirty ring gave.
struct DirtyCounts {
  uint64_t pages = 0;
  uint64_t resets = 0;
};

class Vcpu {
 public:
  // Enters the guest once. Reads of ports and MMIO are answered with all ones, as by an empty bus;
  // writes are dropped. An exit that this program's guests can't cause is an error.
  absl::StatusOr<Exit> Run();

  // Takes what its dirty ring holds, and gives the pages back to be watched. Nothing without a
  // ring. While it does not run.
  absl::Status Harvest(DirtyCounts& counts);

  // KVM_SET_GUEST_DEBUG, with nothing to stop at.
  absl::Status Debug();

  // Writes its registers as WHAT says. While it does not run.
  absl::Status Write(Rewrite what);

  // From any thread: the next KVM_RUN, or with a signal the current one, ends with kIntr, until
  // ClearKick.
  void Kick();
  void ClearKick();

 private:
  friend class Vm;
  Vcpu() = default;
  kvm_run* Shared() const { return static_cast<kvm_run*>(run_.Address()); }
  absl::Status Initialise(const Kvm& kvm, const Workload& workload, const kvm_regs& regs);
  absl::Status BadExit() const;

  UniqueFd fd_;
  Mapping run_;
  Mapping ring_;          // empty where it has none
  size_t harvested_ = 0;  // entries of it, ever
  int vm_ = -1;           // descriptor of its VM, which outlives it
  bool raises_smis_ = false;
};

class Vm {
 public:
  // One memory slot at guest-physical 0.
  static absl::StatusOr<Vm> Create(const Kvm& kvm, const Workload& workload, uint64_t memory_bytes);

  absl::Span<uint8_t> Memory() const {
    return {static_cast<uint8_t*>(memory_.Address()), memory_.size()};
  }

  // In long mode, with `regs`, not yet run.
  absl::StatusOr<Vcpu> CreateVcpu(const Kvm& kvm, const Workload& workload, uint32_t index,
                                  const kvm_regs& regs) const;

 private:
  Vm() = default;
  absl::Status HangDoorbell(uint64_t gpa);

  UniqueFd memory_file_;  // none: it is anonymous
  UniqueFd doorbell_;     // none: nobody listens at the workload's gpa
  Mapping memory_;        // before the fd: KVM lets go of it first
  UniqueFd fd_;
};

}  // namespace kvmsentry::guest
