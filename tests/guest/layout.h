// Where things lie in guest-physical memory, which the guest maps one to one.
#pragma once

#include <cstdint>

namespace kvmsentry::guest {

inline constexpr uint64_t kPageSize = 4096;

// Page 0 stays empty, so that a null pointer in the guest shows.
inline constexpr uint64_t kPageTablesAddress = 0x1000;
inline constexpr uint64_t kPageTablePages = 8;  // 5 are needed at most, see PageTables
inline constexpr uint64_t kGdtAddress = kPageTablesAddress + kPageTablePages * kPageSize;
inline constexpr uint64_t kIdtAddress = kGdtAddress + kPageSize;
inline constexpr uint64_t kCodeAddress = kIdtAddress + kPageSize;
inline constexpr uint64_t kVcpusAddress = kCodeAddress + kPageSize;

// Each vCPU has three pages: its mailbox with the stack at the other end, its string I/O buffer or
// nested VM's control block, and where the processor saves the host's state while that runs.
inline constexpr uint64_t kBytesPerVcpu = 3 * kPageSize;

inline constexpr uint64_t MailboxAddress(uint32_t vcpu) {
  return kVcpusAddress + vcpu * kBytesPerVcpu;
}
inline constexpr uint64_t StackTop(uint32_t vcpu) { return MailboxAddress(vcpu) + kPageSize; }
inline constexpr uint64_t BufferAddress(uint32_t vcpu) { return MailboxAddress(vcpu) + kPageSize; }
inline constexpr uint64_t ControlBlockAddress(uint32_t vcpu) { return BufferAddress(vcpu); }
inline constexpr uint64_t HostSaveAddress(uint32_t vcpu) { return BufferAddress(vcpu) + kPageSize; }
inline constexpr uint64_t MinimumMemory(uint32_t vcpus) { return MailboxAddress(vcpus); }

// What a guest that makes pages dirty writes to.
inline constexpr uint64_t kPagesAddress = uint64_t{1} << 21;

// Where a processor begins in system management mode, and the port by which a guest asks a chipset
// for that: AMD64 Architecture Programmer's Manual, volume 2, 10.2; Intel ICH9 datasheet, 13.7.
// Of one vCPU: another's pages may lie there.
inline constexpr uint64_t kSmmCodeAddress = 0x38000;
inline constexpr uint64_t kSmmEnd = 0x40000;  // of the area in which it saves its state
inline constexpr uint16_t kSmiPort = 0xb2;

// Memory starts at 0 and one page directory covers it.
inline constexpr uint64_t kMaximumMemory = uint64_t{1} << 30;

// Written by the VMM while the vCPU is outside KVM_RUN, by the guest while it is inside.
struct Mailbox {
  uint64_t left;
  uint64_t gp_faults;
};

}  // namespace kvmsentry::guest
