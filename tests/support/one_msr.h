// KVM_GET_MSRS and KVM_SET_MSRS of one MSR. The kernel's header cannot be used for these: in C++
// its struct kvm_msrs is larger, and so the numbers of the ioctls are others.
#pragma once

#include <cstdint>

#include <linux/kvm.h>
#include <sys/ioctl.h>

namespace kvmsentry {

inline constexpr uint32_t kLstar = 0xc0000082;

struct OneMsr {
  uint32_t number = 1;  // of entries
  uint32_t pad = 0;
  kvm_msr_entry entry{};

  explicit OneMsr(uint32_t index) { entry.index = index; }
};

// Both return 1.
inline int GetMsr(int vcpu, OneMsr* msr) { return ioctl(vcpu, _IOWR(KVMIO, 0x88, uint64_t), msr); }
inline int SetMsr(int vcpu, OneMsr* msr) { return ioctl(vcpu, _IOW(KVMIO, 0x89, uint64_t), msr); }

}  // namespace kvmsentry
