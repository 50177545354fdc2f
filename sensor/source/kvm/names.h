// Names of members that stand in tables of their own.
#pragma once

#include <span>

#include "sensor/feature/member_kind.h"

namespace kvmsentry {

// "svm:hlt", "vmx:EPT_VIOLATION": the names of the kernel's traces, linux/asm/svm.h and vmx.h.
std::span<const NamedMember> VmExitNames();

// "vm:SET_USER_MEMORY_REGION", "vcpu:SET_REGS", "device:SET_DEVICE_ATTR": those of linux/kvm.h,
// without their prefix.
std::span<const NamedMember> KvmIoctlNames();

}  // namespace kvmsentry
