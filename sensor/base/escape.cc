#include "sensor/base/escape.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace kvmsentry {
namespace {

// The length of the UTF-8 sequence at the start of TEXT, 0 where there is none or where it encodes
// a C1 control, a surrogate, or a direction override that could disguise what follows.
size_t SafeUtf8Length(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return 0;
  uint32_t code = lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool overlong = code < kSmallest[length];
  const bool control = code < 0xa0;
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  const bool formatting = (code >= 0x200b && code <= 0x200f) ||
                          (code >= 0x2028 && code <= 0x202e) ||
                          (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
  return overlong || control || surrogate || formatting || code > 0x10ffff ? 0 : length;
}

}  // namespace

std::string Escape(absl::string_view text, size_t max_bytes) {
  const bool cut = text.size() > max_bytes;
  text = text.substr(0, max_bytes);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = static_cast<uint8_t>(text[0]);
    size_t taken = 1;
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      out.push_back(text[0]);
    } else if (const size_t length = SafeUtf8Length(text); length > 0) {
      absl::StrAppend(&out, text.substr(0, length));
      taken = length;
    } else {
      absl::StrAppendFormat(&out, "\\x%02x", c);
    }
    text.remove_prefix(taken);
  }
  if (cut) out += "...";
  return out;
}

std::string EscapeAgain(absl::string_view text) {
  // Nearly every text is harmless, and each is looked at once a subscriber.
  const auto harmless = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::all_of(text.begin(), text.end(), harmless)) return std::string(text);
  std::string out;
  for (;;) {
    const size_t backslash = text.find('\\');
    const absl::string_view piece = text.substr(0, backslash);
    out += Escape(piece, piece.size());
    if (backslash == absl::string_view::npos) return out;
    out.push_back('\\');
    text.remove_prefix(backslash + 1);
  }
}

}  // namespace kvmsentry
