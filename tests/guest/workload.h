// What one guest does: the parameters of its machine code, and nothing about how it is run.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace kvmsentry::guest {

enum class Behaviour {
  kCalm,
  kSpin,
  kPio,
  kMmio,
  kDoorbell,
  kMsr,
  kUserspaceExit,
  kCpuid,
  kTimer,
  kNested,
  kHypercall,
  kControl,
  kLstar,
  kWriteProtect,
  kSmi,
  kDirty
};

// The name on the command line and in the report.
absl::string_view BehaviourName(Behaviour behaviour);

// What the VMM does to the registers of a vCPU that has run: it writes them back as they were,
// moves the stack pointer or the entry of system calls, or does the first as a part of a reset.
enum class Rewrite { kNever, kUnchanged, kStack, kEntry, kReset };

struct Workload {
  Behaviour behaviour = Behaviour::kCalm;
  bool write = true;  // out or write, otherwise in or read
  uint32_t width = 1;
  uint16_t port = 0x3f8;
  uint64_t gpa = 0xd0000000;
  uint32_t pages = 1;    // that are stored to in turn
  uint32_t msr = 0x17a;  // MCG_STATUS, which every KVM traps and lets a guest write
  uint32_t sweep = 1;    // ports or MSRs that are written to in turn
  uint64_t value = 0;
  uint32_t timer_ns = 2'000'000;
  bool debugged = false;  // the VMM asks to be told of the guest's breakpoints, as a debugger does
  uint32_t rep = 0;       // elements of one string instruction, 0 for plain IN and OUT
  Rewrite rewrite = Rewrite::kNever;  // from the tenth return on
  uint32_t rewrites = 1;              // so often
  std::string memory_file;            // the guest's memory, shared; empty: anonymous
};

// A batch of operations is always a multiple of this.
inline uint64_t OperationsPerInstruction(const Workload& workload) {
  return workload.rep > 0 ? workload.rep : 1;
}

// Whether each operation comes back to the VMM by itself.
inline bool ExitsToUserSpace(Behaviour behaviour) {
  return behaviour != Behaviour::kSpin && behaviour != Behaviour::kMsr &&
         behaviour != Behaviour::kCpuid && behaviour != Behaviour::kTimer &&
         behaviour != Behaviour::kNested && behaviour != Behaviour::kHypercall &&
         behaviour != Behaviour::kControl && behaviour != Behaviour::kDirty &&
         behaviour != Behaviour::kDoorbell;
}

// Whether it reaches for Workload::gpa, which is no memory of its own.
inline bool LeavesMemory(Behaviour behaviour) {
  return behaviour == Behaviour::kMmio || behaviour == Behaviour::kDoorbell;
}

// Whether the VMM is told by a dirty ring which pages the guest wrote to.
inline bool HasDirtyRing(Behaviour behaviour) { return behaviour == Behaviour::kDirty; }

// Whether the VMM answers each write of a port by a system management interrupt, as a chipset does.
inline bool RaisesSmis(Behaviour behaviour) { return behaviour == Behaviour::kSmi; }

// Whether the VM has its interrupt controllers in the kernel. A halt then ends there, too.
inline bool HasInterruptController(Behaviour behaviour) { return behaviour == Behaviour::kTimer; }

}  // namespace kvmsentry::guest
