#include "sensor/given/shown_text.h"

#include <climits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr absl::string_view kHidden = "***";
// More of a text is never looked at.
constexpr size_t kMaxRedacted = 16 << 10;

bool IsKeyChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
         c == '%';
}

// Where the password of the URL whose authority begins at BEGIN stands; empty where there is none.
// A password may hold what ends a host elsewhere, '/' and '@': the last '@' before a blank counts,
// so rather too much is hidden than too little.
struct Span {
  size_t begin = 0, end = 0;
};
Span PasswordIn(absl::string_view text, size_t begin) {
  size_t stop = text.find_first_of(" \t\"'", begin);
  if (stop == absl::string_view::npos) stop = text.size();
  const size_t at = text.substr(0, stop).rfind('@');
  if (at == absl::string_view::npos || at < begin) return {};
  const size_t mark = text.find_first_of(":%", begin);
  if (mark == absl::string_view::npos || mark >= at) return {};
  return {mark + 1, at};
}

std::string HidePasswordsInUrls(absl::string_view text) {
  std::string out;
  for (;;) {
    const size_t scheme = text.find("://");
    if (scheme == absl::string_view::npos) break;
    const size_t begin = scheme + 3;
    const Span span = PasswordIn(text, begin);
    if (span.end == 0) {
      absl::StrAppend(&out, text.substr(0, begin));
      text.remove_prefix(begin);
      continue;
    }
    absl::StrAppend(&out, text.substr(0, span.begin), kHidden);
    text.remove_prefix(span.end);
  }
  return absl::StrCat(out, text);
}

// The end of the value that begins at BEGIN.
size_t EndOfValue(absl::string_view text, size_t begin) {
  if (begin < text.size() && (text[begin] == '"' || text[begin] == '\'')) {
    const char quote = text[begin];
    for (size_t i = begin + 1; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == quote) {
        return i + 1;
      }
    }
    return text.size();
  }
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == ',' && i + 1 < text.size() && text[i + 1] == ',') {
      ++i;  // QEMU's escape
    } else if (absl::string_view(",&;} \t\n").find(text[i]) != absl::string_view::npos) {
      return i;
    }
  }
  return text.size();
}

std::string HideValuesOfSecretKeys(absl::string_view text) {
  std::string out;
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=' && text[i] != ':') continue;
    size_t key_end = i;
    while (key_end > copied && (text[key_end - 1] == '"' || text[key_end - 1] == ' ')) --key_end;
    size_t key_begin = key_end;
    while (key_begin > copied && IsKeyChar(text[key_begin - 1])) --key_begin;
    const absl::string_view key = text.substr(key_begin, key_end - key_begin);
    // In "a:b" only what stands in quotes is a key.
    if (text[i] == ':' && key_end == i) continue;
    if (!IsSecretKey(key)) continue;
    size_t begin = i + 1;
    while (begin < text.size() && text[begin] == ' ') ++begin;
    absl::StrAppend(&out, text.substr(copied, begin - copied), kHidden);
    copied = EndOfValue(text, begin);
    i = copied == 0 ? 0 : copied - 1;
  }
  return absl::StrCat(out, text.substr(copied));
}

}  // namespace

bool IsSecretKey(absl::string_view key) {
  const std::string lower = absl::AsciiStrToLower(key);
  for (const char* part : {"password", "passwd", "passphrase", "passwort", "secret", "token",
                           "cookie", "credential", "authorization", "apikey", "privkey"}) {
    if (absl::StrContains(lower, part)) return true;
  }
  const size_t dot = lower.find_last_of(".-_");
  const absl::string_view last =
      absl::string_view(lower).substr(dot == std::string::npos ? 0 : dot + 1);
  return last == "key" || last == "pass" || last == "pw" || last == "data" || last == "auth" ||
         last == "sig" || last == "signature";
}

std::string Redact(absl::string_view text) {
  const bool cut = text.size() > kMaxRedacted;
  text = text.substr(0, kMaxRedacted);
  if (absl::StartsWithIgnoreCase(text, "exec:")) return absl::StrCat(text.substr(0, 5), kHidden);
  return absl::StrCat(HideValuesOfSecretKeys(HidePasswordsInUrls(text)), cut ? "..." : "");
}

std::string ShownText(absl::string_view text, size_t max_bytes) {
  return Escape(Redact(text), max_bytes);
}

std::string ShownPath(absl::string_view path) { return ShownText(path, PATH_MAX); }

}  // namespace kvmsentry
