#include "sensor/base/glob.h"

#include <cstddef>

namespace kvmsentry {
namespace {

constexpr size_t kNone = absl::string_view::npos;

// Where the character after the one at AT begins. Bytes that are no UTF-8 count one by one, or
// with the continuation bytes that follow them.
size_t NextCharacter(absl::string_view text, size_t at) {
  do {
    ++at;
  } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
  return at;
}

// Of the '[' at OPEN: where its ']' is.
size_t ClosingBracket(absl::string_view pattern, size_t open) {
  size_t first = open + 1;
  if (first < pattern.size() && (pattern[first] == '!' || pattern[first] == '^')) ++first;
  return pattern.find(']', first + 1);
}

// One of the characters between the brackets, with '-' between two for a range. UTF-8 orders
// characters as their numbers do, so texts compare as characters do.
template <typename Use>
void EachRange(absl::string_view inside, Use use) {
  for (size_t at = 0; at < inside.size();) {
    const size_t next = NextCharacter(inside, at);
    const absl::string_view first = inside.substr(at, next - at);
    if (next + 1 < inside.size() && inside[next] == '-') {
      const size_t end = NextCharacter(inside, next + 1);
      use(first, inside.substr(next + 1, end - next - 1));
      at = end;
    } else {
      use(first, first);
      at = next;
    }
  }
}

// BRACKETS with neither '[' nor ']'.
bool InBrackets(absl::string_view brackets, absl::string_view character) {
  const bool none_of = !brackets.empty() && (brackets[0] == '!' || brackets[0] == '^');
  if (none_of) brackets.remove_prefix(1);
  bool found = false;
  EachRange(brackets, [&](absl::string_view first, absl::string_view last) {
    // A longer encoding is a larger number.
    const auto before = [](absl::string_view a, absl::string_view b) {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    };
    found |= !before(character, first) && !before(last, character);
  });
  return found != none_of;
}

}  // namespace

// Only the last '*' needs to be taken back: what stands before it has matched at the earliest
// place, so no other choice for an earlier one leaves more of the text.
bool GlobMatch(absl::string_view pattern, absl::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t after_star = kNone;  // in the pattern
  size_t star_end = 0;        // in the text: the last '*' stands for what is before it
  while (t < text.size()) {
    const size_t close =
        p < pattern.size() && pattern[p] == '[' ? ClosingBracket(pattern, p) : kNone;
    const size_t next = NextCharacter(text, t);
    if (p < pattern.size() && pattern[p] == '*') {
      after_star = ++p;
      star_end = t;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      t = next;
    } else if (close != kNone &&
               InBrackets(pattern.substr(p + 1, close - p - 1), text.substr(t, next - t))) {
      p = close + 1;
      t = next;
    } else if (close == kNone && p < pattern.size() && pattern[p] == text[t]) {
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

bool IsPattern(absl::string_view text) {
  return text.find_first_of("*?[") != absl::string_view::npos;
}

absl::string_view GlobProblem(absl::string_view pattern) {
  for (size_t at = pattern.find('['); at != kNone; at = pattern.find('[', at)) {
    const size_t close = ClosingBracket(pattern, at);
    if (close == kNone) return "its '[' is not closed";
    absl::string_view problem;
    EachRange(pattern.substr(at + 1, close - at - 1),
              [&](absl::string_view first, absl::string_view last) {
                if (first.size() > last.size() || (first.size() == last.size() && first > last)) {
                  problem = "its range in brackets is inverted";
                }
              });
    if (!problem.empty()) return problem;
    at = close + 1;
  }
  return "";
}

}  // namespace kvmsentry
