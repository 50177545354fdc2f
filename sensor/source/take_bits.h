// Members that programs have noted in shared rows: read and cleared.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "sensor/base/load.h"

namespace kvmsentry {

// Hands each bit of WORD to VISIT, counted from FIRST, and clears it.
template <typename Visit>
void TakeBits(uint64_t& word, uint64_t first, Visit visit) {
  if (Load(word) == 0) return;
  uint64_t bits = __atomic_exchange_n(&word, 0, __ATOMIC_SEQ_CST);
  for (; bits != 0; bits &= bits - 1) {
    visit(first + static_cast<uint64_t>(std::countr_zero(bits)));
  }
}

template <size_t kWords, typename Visit>
void TakeAllBits(uint64_t (&words)[kWords], Visit visit) {
  for (size_t i = 0; i < kWords; ++i) TakeBits(words[i], i * 64, visit);
}

// The same of words of which bit N of PARTS says whether there is one in the Nth KPART bits; PARTS
// are cleared first.
template <size_t kPart, size_t kWords, typename Visit>
void TakePartsOfBits(uint64_t (&words)[kWords], uint64_t& parts, Visit visit) {
  constexpr size_t kPartWords = kPart / 64;
  static_assert(kPart % 64 == 0 && 64 * kPartWords >= kWords);
  TakeBits(parts, 0, [&](uint64_t part) {
    for (size_t i = part * kPartWords; i < std::min((part + 1) * kPartWords, kWords); ++i) {
      TakeBits(words[i], i * 64, visit);
    }
  });
}

// Of a table of keys: member + 1, 0 where there is none.
template <size_t kPlaces, typename Visit>
void TakeKeys(uint64_t (&table)[kPlaces], Visit visit) {
  for (uint64_t& place : table) {
    if (Load(place) != 0) visit(__atomic_exchange_n(&place, 0, __ATOMIC_RELAXED) - 1);
  }
}

}  // namespace kvmsentry
