// How problems are gathered while a file is read.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/spec/library.h"

namespace kvmsentry {

// A place in a file, from 1 (sensor/alert's Position is one in the stream). Columns count bytes; a
// tab goes on to the next multiple of 8. Two are compared as of one file.
struct TextPosition {
  int line = 0;
  int column = 0;
  absl::string_view file = {};  // empty: that of whoever reports
  friend auto operator<=>(const TextPosition& a, const TextPosition& b) {
    return a.line != b.line ? a.line <=> b.line : a.column <=> b.column;
  }
  friend bool operator==(const TextPosition& a, const TextPosition& b) {
    return a.line == b.line && a.column == b.column;
  }
};

// Adds problems of FILE, where a position names no other; NOTE is added to each message. All must
// outlive it.
class Report {
 public:
  Report(absl::string_view file, std::vector<Problem>& problems, absl::string_view note = "")
      : file_(file), problems_(problems), note_(note) {}
  void operator()(TextPosition at, absl::string_view message) const;
  void Warn(TextPosition at, absl::string_view message) const;
  absl::string_view file() const { return file_; }

 private:
  void Add(TextPosition at, absl::string_view message, bool is_warning) const;

  absl::string_view file_;
  std::vector<Problem>& problems_;
  absl::string_view note_;
};

// Whether TEXT of a spec can be shown as it is. An escape like "\n" can bring in what no file may
// hold.
bool IsPlain(absl::string_view text);

// TEXT of a spec in quotes, escaped and cut, as messages show it.
std::string Quoted(absl::string_view text);

}  // namespace kvmsentry
