// Reading memory that the kernel's programs write at the same time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kvmsentry {

inline uint64_t Load(const uint64_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }
inline int64_t Load(const int64_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }
inline uint8_t Load(const uint8_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }
inline uint32_t Load(const uint32_t& value) { return __atomic_load_n(&value, __ATOMIC_RELAXED); }

// All of ROW, a word at a time. Words that belong together may be of different moments.
template <typename Row>
Row LoadAll(const Row& row) {
  static_assert(sizeof(Row) % sizeof(uint64_t) == 0);
  Row copy;
  for (size_t i = 0; i < sizeof(Row) / sizeof(uint64_t); ++i) {
    reinterpret_cast<uint64_t*>(&copy)[i] = Load(reinterpret_cast<const uint64_t*>(&row)[i]);
  }
  return copy;
}

}  // namespace kvmsentry
