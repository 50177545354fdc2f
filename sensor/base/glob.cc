#include "sensor/base/glob.h"

#include <cstddef>

namespace kvmsentry {
namespace {

// Where the character after the one at AT begins. Bytes that are no UTF-8 count one by one, or
// with the continuation bytes that follow them.
size_t NextCharacter(absl::string_view text, size_t at) {
  do {
    ++at;
  } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
  return at;
}

}  // namespace

// Only the last '*' needs to be taken back: what stands before it has matched at the earliest
// place, so no other choice for an earlier one leaves more of the text.
bool GlobMatch(absl::string_view pattern, absl::string_view text) {
  constexpr size_t kNone = absl::string_view::npos;
  size_t p = 0;
  size_t t = 0;
  size_t after_star = kNone;  // in the pattern
  size_t star_end = 0;        // in the text: the last '*' stands for what is before it
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_end = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t = NextCharacter(text, t);
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (after_star != kNone) {
      p = after_star;
      t = star_end = NextCharacter(text, star_end);
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace kvmsentry
