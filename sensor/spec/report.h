// How problems are gathered while a file is read.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/spec/library.h"

namespace kvmsentry {

// A place in a file, from 1 (sensor/alert's Position is one in the stream). Columns count bytes; a
// tab goes on to the next multiple of 8.
struct TextPosition {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const TextPosition&, const TextPosition&) = default;
};

// Adds problems of one file. Both must outlive it.
class Report {
 public:
  Report(absl::string_view file, std::vector<Problem>& problems)
      : file_(file), problems_(problems) {}
  void operator()(TextPosition at, std::string message) const;
  void Warn(TextPosition at, std::string message) const;
  absl::string_view file() const { return file_; }

 private:
  absl::string_view file_;
  std::vector<Problem>& problems_;
};

// Whether TEXT of a spec can be shown as it is. An escape like "\n" can bring in what no file may
// hold.
bool IsPlain(absl::string_view text);

// TEXT of a spec in quotes, escaped and cut, as messages show it.
std::string Quoted(absl::string_view text);

}  // namespace kvmsentry
