// A member of a set that does not fit into 64 bits: a text, an address of 128 bits, a pair.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

namespace kvmsentry {

struct Member {
  uint64_t first = 0;   // the number; the high half of 128 bits; the first of a pair
  uint64_t second = 0;  // the low half of 128 bits; the second of a pair
  // Of a text: whoever makes the Member escapes and cuts it (sensor/base/escape.h).
  std::string text = {};
  friend auto operator<=>(const Member&, const Member&) = default;
};

// A longer text is cut: guests choose some of them.
inline constexpr size_t kMaxMemberText = 128;

}  // namespace kvmsentry
