#include "tests/guest/guest_code.h"

#include <cstddef>

#include "tests/guest/layout.h"

namespace kvmsentry::guest {
namespace {

extern "C" {
extern const uint8_t kGuestCodeBegin[], kGuestCodeEnd[];
extern const uint8_t kGuestIdle[], kGuestGeneralProtection[];
extern const uint8_t kGuestSpin[], kGuestHalt[], kGuestCpuid[], kGuestHypercall[], kGuestControl[],
    kGuestLstar[], kGuestWriteProtect[], kGuestWalk[], kGuestWrmsr[], kGuestRdmsr[],
    kGuestSweepPorts[], kGuestSweepMsrs[];
extern const uint8_t kGuestTimerStart[], kGuestTimer[], kGuestTimerInterrupt[];
extern const uint8_t kGuestNestedStart[], kGuestNested[], kGuestInner[];
extern const uint8_t kGuestOut1[], kGuestOut2[], kGuestOut4[];
extern const uint8_t kGuestIn1[], kGuestIn2[], kGuestIn4[];
extern const uint8_t kGuestRepOut1[], kGuestRepOut2[], kGuestRepOut4[];
extern const uint8_t kGuestRepIn1[], kGuestRepIn2[], kGuestRepIn4[];
extern const uint8_t kGuestStore1[], kGuestStore2[], kGuestStore4[], kGuestStore8[];
extern const uint8_t kGuestLoad1[], kGuestLoad2[], kGuestLoad4[], kGuestLoad8[];
}

// The variants of one instruction by the width of its operand; null where there is none.
struct ByWidth {
  const uint8_t* one;
  const uint8_t* two;
  const uint8_t* four;
  const uint8_t* eight;

  const uint8_t* Select(uint32_t width) const {
    return width == 1 ? one : width == 2 ? two : width == 4 ? four : eight;
  }
};

constexpr ByWidth kOut = {kGuestOut1, kGuestOut2, kGuestOut4, nullptr};
constexpr ByWidth kIn = {kGuestIn1, kGuestIn2, kGuestIn4, nullptr};
constexpr ByWidth kRepOut = {kGuestRepOut1, kGuestRepOut2, kGuestRepOut4, nullptr};
constexpr ByWidth kRepIn = {kGuestRepIn1, kGuestRepIn2, kGuestRepIn4, nullptr};
constexpr ByWidth kStore = {kGuestStore1, kGuestStore2, kGuestStore4, kGuestStore8};
constexpr ByWidth kLoad = {kGuestLoad1, kGuestLoad2, kGuestLoad4, kGuestLoad8};

const uint8_t* Loop(const Workload& workload) {
  switch (workload.behaviour) {
    case Behaviour::kCalm:
      return kGuestIdle;
    case Behaviour::kSpin:
      return kGuestSpin;
    case Behaviour::kPio:
      if (workload.sweep > 1) return kGuestSweepPorts;
      if (workload.rep > 0) return (workload.write ? kRepOut : kRepIn).Select(workload.width);
      return (workload.write ? kOut : kIn).Select(workload.width);
    case Behaviour::kMmio:
      if (workload.pages > 1) return kGuestWalk;
      return (workload.write ? kStore : kLoad).Select(workload.width);
    case Behaviour::kDoorbell:
      return kGuestStore4;
    case Behaviour::kMsr:
      if (workload.sweep > 1) return kGuestSweepMsrs;
      return workload.write ? kGuestWrmsr : kGuestRdmsr;
    case Behaviour::kUserspaceExit:
      return kGuestHalt;
    case Behaviour::kCpuid:
      return kGuestCpuid;
    case Behaviour::kTimer:
      return kGuestTimer;
    case Behaviour::kNested:
      return kGuestNested;
    case Behaviour::kHypercall:
      return kGuestHypercall;
    case Behaviour::kControl:
      return kGuestControl;
    case Behaviour::kLstar:
      return kGuestLstar;
    case Behaviour::kWriteProtect:
      return kGuestWriteProtect;
    case Behaviour::kSmi:
      return kGuestOut1;
    case Behaviour::kDirty:
      return kGuestWalk;
  }
  __builtin_unreachable();
}

const uint8_t* Start(Behaviour behaviour) {
  if (behaviour == Behaviour::kTimer) return kGuestTimerStart;
  if (behaviour == Behaviour::kNested) return kGuestNestedStart;
  return kGuestIdle;
}

uint64_t GuestAddress(const uint8_t* symbol) {
  return kCodeAddress + static_cast<uint64_t>(symbol - kGuestCodeBegin);
}

}  // namespace

absl::Span<const uint8_t> GuestCode() {
  return {kGuestCodeBegin, static_cast<size_t>(kGuestCodeEnd - kGuestCodeBegin)};
}

uint64_t GeneralProtectionHandler() { return GuestAddress(kGuestGeneralProtection); }

uint64_t TimerInterruptHandler() { return GuestAddress(kGuestTimerInterrupt); }

uint64_t InnerCode() { return GuestAddress(kGuestInner); }

kvm_regs InitialRegisters(const Workload& workload, uint32_t vcpu) {
  kvm_regs regs = {};
  regs.rip = GuestAddress(Start(workload.behaviour));
  regs.rsp = StackTop(vcpu);
  regs.rflags = 2;  // the bit that is always set; interrupts are off
  regs.r15 = MailboxAddress(vcpu);
  regs.rbp = GuestAddress(Loop(workload));
  regs.r8 = OperationsPerInstruction(workload);
  regs.r9 = LeavesMemory(workload.behaviour) ? workload.gpa : BufferAddress(vcpu);
  regs.rax = workload.value;
  if (workload.behaviour == Behaviour::kDirty) regs.r9 = kPagesAddress;
  if (workload.behaviour == Behaviour::kTimer) regs.r10 = workload.timer_ns;
  if (workload.behaviour == Behaviour::kHypercall) regs.r10 = workload.value;
  if (workload.behaviour == Behaviour::kControl) {
    constexpr uint64_t kTimeStampDisable = 4;
    regs.r10 = workload.value != 0 ? workload.value : kTimeStampDisable;
  }
  if (workload.behaviour == Behaviour::kLstar) {
    regs.rcx = 0xc0000082;
    regs.r10 = workload.value != 0 ? workload.value : ~uint64_t{0};
  }
  if (workload.behaviour == Behaviour::kNested) regs.r10 = HostSaveAddress(vcpu);
  if (workload.pages > 1) {
    regs.rdx = regs.r9;
    regs.r10 = regs.r9 + workload.pages * kPageSize;
  }
  if (workload.behaviour == Behaviour::kSmi) {
    regs.rdx = kSmiPort;
  } else if (workload.behaviour == Behaviour::kPio) {
    regs.rdx = workload.port;
  } else if (workload.behaviour == Behaviour::kMsr) {
    regs.rcx = workload.msr;
    regs.rax = workload.value & 0xffffffff;
    regs.rdx = workload.value >> 32;
  }
  if (workload.sweep > 1) {
    regs.r9 = workload.behaviour == Behaviour::kPio ? workload.port : workload.msr;
    regs.r10 = regs.r9 + workload.sweep;
  }
  return regs;
}

}  // namespace kvmsentry::guest
