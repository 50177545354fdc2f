// Time as the sensor uses it. Nothing here asks a clock: time comes in from outside.
#pragma once

#include <compare>
#include <cstdint>

namespace kvmsentry {

// Nanoseconds of CLOCK_MONOTONIC, the clock of bpf_ktime_get_ns(). All observations carry it, so
// kernel and user space agree on order without conversion.
struct KernelTime {
  int64_t ns = 0;
  friend auto operator<=>(const KernelTime&, const KernelTime&) = default;
};

inline constexpr int64_t kNsPerMs = 1'000'000;
inline constexpr int64_t kNsPerSecond = 1'000'000'000;

constexpr KernelTime operator+(KernelTime t, int64_t ns) { return {t.ns + ns}; }
constexpr KernelTime operator-(KernelTime t, int64_t ns) { return {t.ns - ns}; }
constexpr int64_t operator-(KernelTime a, KernelTime b) { return a.ns - b.ns; }

}  // namespace kvmsentry
