#include "sensor/base/wrap.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr absl::string_view kCut = "...";

// How many bytes the first WIDTH characters of TEXT take.
size_t BytesOf(absl::string_view text, size_t width) {
  size_t at = 0;
  for (size_t characters = 0; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && characters++ == width) break;
  }
  return at;
}

}  // namespace

size_t WidthOf(absl::string_view text) {
  const std::string safe = EscapeAgain(text);
  return static_cast<size_t>(std::count_if(safe.begin(), safe.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string CutTo(absl::string_view text, size_t width) {
  std::string safe = EscapeAgain(text);
  if (WidthOf(safe) <= width) return safe;
  if (width <= kCut.size()) return safe.substr(0, BytesOf(safe, width));
  safe.resize(BytesOf(safe, width - kCut.size()));
  while (!safe.empty() && safe.back() == ' ') safe.pop_back();
  return absl::StrCat(safe, kCut);
}

std::vector<std::string> WrapTo(absl::string_view text, size_t width, size_t max_lines) {
  const std::string safe = EscapeAgain(text);
  absl::string_view rest = safe;
  std::vector<std::string> lines;
  while (lines.size() + 1 < max_lines && WidthOf(rest) > width) {
    const size_t fits = BytesOf(rest, width);
    const size_t blank = rest.substr(0, fits + 1).rfind(' ');
    const bool at_blank = blank != absl::string_view::npos && blank > 0;
    lines.emplace_back(rest.substr(0, at_blank ? blank : fits));
    rest.remove_prefix(at_blank ? blank + 1 : fits);
  }
  lines.push_back(CutTo(rest, width));
  return lines;
}

}  // namespace kvmsentry
