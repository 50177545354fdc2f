#include "sensor/daemon/config_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/escape.h"

namespace kvmsentry {
namespace {

constexpr char kEnd = '\0';  // no text of a configuration holds one

class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<ConfigEntry>> ReadAll() {
    std::vector<ConfigEntry> entries;
    for (SkipToText(); Peek() != kEnd; SkipToText()) {
      KVMSENTRY_ASSIGN_OR_RETURN(ConfigEntry entry, ReadEntry());
      const auto same = std::ranges::find(entries, entry.name, &ConfigEntry::name);
      if (same != entries.end()) {
        return Wrong(absl::StrCat("'", entry.name, "' is set on line ", same->line,
                                  " already; set it once"));
      }
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : kEnd; }
  void Skip() { line_ += text_[at_++] == '\n' ? 1 : 0; }

  void SkipBlanks() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\r') Skip();
    if (Peek() != '#') return;
    while (Peek() != kEnd && Peek() != '\n') Skip();
  }
  void SkipToText() {
    for (SkipBlanks(); Peek() == '\n'; SkipBlanks()) Skip();
  }

  absl::Status Wrong(absl::string_view problem) const {
    return absl::InvalidArgumentError(absl::StrCat(line_, ": ", problem));
  }

  absl::StatusOr<ConfigEntry> ReadEntry() {
    if (Peek() == '[') return Wrong("sections are not supported; write NAME = VALUE");
    ConfigEntry entry;
    entry.line = line_;
    entry.name = ReadWord("=");
    if (Peek() != '=' || entry.name.empty()) {
      return Wrong(absl::StrCat("'", Escape(entry.name), "' has no value; write NAME = VALUE"));
    }
    Skip();
    SkipBlanks();
    if (Peek() == '[') {
      KVMSENTRY_RETURN_IF_ERROR(ReadList(entry.values));
    } else {
      KVMSENTRY_ASSIGN_OR_RETURN(entry.values.emplace_back(), ReadValue(""));
    }
    SkipBlanks();
    if (Peek() == kEnd || Peek() == '\n') return entry;
    return Wrong(absl::StrCat("unexpected text after the value of '", Escape(entry.name), "'"));
  }

  // Up to one of ENDS, a comment or the line's end.
  std::string ReadWord(absl::string_view ends) {
    const size_t begin = at_;
    while (Peek() != kEnd && Peek() != '\n' && Peek() != '#' &&
           ends.find(Peek()) == absl::string_view::npos) {
      Skip();
    }
    return std::string(absl::StripAsciiWhitespace(text_.substr(begin, at_ - begin)));
  }

  absl::StatusOr<std::string> ReadValue(absl::string_view ends) {
    const char quote = Peek();
    if (quote != '"' && quote != '\'') {
      std::string word = ReadWord(ends);
      if (word.empty()) return Wrong("a value is missing; write \"\" for an empty text");
      return word;
    }
    Skip();
    std::string value;
    for (; Peek() != quote; Skip()) {
      if (Peek() == kEnd || Peek() == '\n') return Wrong("a quoted text does not end");
      if (quote == '"' && Peek() == '\\') {
        Skip();
        if (Peek() != '"' && Peek() != '\\') {
          return Wrong("only \\\" and \\\\ may follow a backslash; use '...' for other texts");
        }
      }
      value.push_back(Peek());
    }
    Skip();
    return value;
  }

  absl::Status ReadList(std::vector<std::string>& values) {
    Skip();
    for (SkipToText(); Peek() != ']' && Peek() != kEnd; SkipToText()) {
      KVMSENTRY_ASSIGN_OR_RETURN(values.emplace_back(), ReadValue(",]"));
      SkipToText();
      if (Peek() == kEnd) break;
      if (Peek() == ',') {
        Skip();
      } else if (Peek() != ']') {
        return Wrong("a comma is missing between two values of a list");
      }
    }
    if (Peek() == kEnd) return Wrong("a list does not end; close it with ]");
    Skip();
    return absl::OkStatus();
  }

  const absl::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(absl::string_view text) {
  if (text.find(kEnd) != absl::string_view::npos) {
    return absl::InvalidArgumentError("1: holds a NUL byte; it is no text");
  }
  return Reader(text).ReadAll();
}

}  // namespace kvmsentry
