// The kinds of members that KVM's features have.
#pragma once

#include "sensor/feature/member_kind.h"

namespace kvmsentry {

extern const MemberKind kPort;
extern const MemberKind kMsr;
extern const MemberKind kExitReason;  // why KVM_RUN returned to user space
extern const MemberKind kVmExit;      // why the guest was left: the vendor's exit reasons
extern const MemberKind kHypercall;
extern const MemberKind kGuestPage;  // the address at which a page of 4 KiB begins
extern const MemberKind kKvmIoctl;   // of the VM; a vCPU's have 256 more, a device's 512
extern const MemberKind kGuestAddress;
extern const MemberKind kVector;  // of an interrupt or exception
extern const MemberKind kControlRegister;
extern const MemberKind kOverrun;         // ks_overrun
extern const MemberKind kPanic;           // ks_panic
extern const MemberKind kRegisters;       // ks_registers
extern const MemberKind kLostProtection;  // ks_protection

}  // namespace kvmsentry
