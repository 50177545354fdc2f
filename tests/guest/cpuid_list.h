// KVM's CPUID ioctls as they are in C.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <linux/kvm.h>

namespace kvmsentry::guest {

// kvm_cpuid2 with room for its entries. Not made of kvm_cpuid2 itself, which in C++ has a wrong
// size in the headers of Linux 6.1: they put an empty struct before its flexible array, of size 0
// in C and 1 in C++. The ioctl numbers, which contain the size, are wrong likewise.
template <size_t kEntries>
struct CpuidList {
  uint32_t size = 0;
  uint32_t padding = 0;
  std::array<kvm_cpuid_entry2, kEntries> entries{};
};
static_assert(offsetof(CpuidList<1>, entries) == 8);

using CpuidHeader = std::array<uint32_t, 2>;
inline constexpr unsigned long kGetSupportedCpuid = _IOWR(KVMIO, 0x05, CpuidHeader);
inline constexpr unsigned long kSetCpuid2 = _IOW(KVMIO, 0x90, CpuidHeader);

}  // namespace kvmsentry::guest
