// Reading memory that the kernel's programs write at the same time.
#pragma once

#include <cstdint>

namespace kvmsentry {

inline uint64_t Load(const uint64_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }
inline int64_t Load(const int64_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }
inline uint8_t Load(const uint8_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }
inline uint32_t Load(const uint32_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }

}  // namespace kvmsentry
