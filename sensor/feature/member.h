// A member of a set that does not fit into 64 bits: a text, an address of 128 bits, a pair.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>

namespace kvmsentry {

struct Member {
  uint64_t first = 0;   // the number; the high half of 128 bits; the first of a pair
  uint64_t second = 0;  // the low half of 128 bits; the second of a pair
  // Of a text: whoever makes the Member escapes and cuts it (sensor/base/escape.h).
  std::string text = {};
  // Who brought it here, in words, where that is known: no part of what it is. Escaped and cut,
  // too.
  std::string by = {};
  // How it was used, in words of ours, where that is known: no part of it, either.
  std::string how = {};

  friend bool operator==(const Member& a, const Member& b) { return a.Identity() == b.Identity(); }
  friend auto operator<=>(const Member& a, const Member& b) {
    return a.Identity() <=> b.Identity();
  }

 private:
  std::tuple<uint64_t, uint64_t, const std::string&> Identity() const {
    return {first, second, text};
  }
};

// A longer text is cut: guests choose some of them.
inline constexpr size_t kMaxMemberText = 128;
inline constexpr size_t kMaxMemberBy = 512;

}  // namespace kvmsentry
