// How large the ring between the kernel's programs and the daemon is. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace kvmsentry {

// So many records of what each VM's processes do, between two times that the ring is drained.
inline constexpr uint64_t kActsAtOnce = 5;

// The sum of all budgets of MAX_VMS VMs in a second, in which the ring is drained many times: every
// limit of every VM once, some acts of each, the births, and a canary; but at most 4 MiB, which
// hold a second's budget of some 550 VMs: what finds no room is reported by the next tick. In
// bytes, a size that the kernel takes. Independent of the specs, so that changing them keeps the
// maps.
uint32_t RingBytes(uint32_t max_vms);

// What is wrong with a ring of TEXT KiB (--ring-kib), and what to say instead; empty where nothing
// is. The kernel wants a power of two and whole pages (kernel/bpf/ringbuf.c, ringbuf_map_alloc).
std::string ProblemWithRingKib(const std::string& text);

}  // namespace kvmsentry
