#include "sensor/spec/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "sensor/base/escape.h"

namespace kvmsentry {

void Report::operator()(TextPosition at, absl::string_view message) const {
  Add(at, message, /*is_warning=*/false);
}

void Report::Warn(TextPosition at, absl::string_view message) const {
  Add(at, message, /*is_warning=*/true);
}

void Report::Add(TextPosition at, absl::string_view message, bool is_warning) const {
  problems_.push_back({std::string(at.file.empty() ? file_ : at.file), at.line, at.column,
                       absl::StrCat(message, note_), is_warning});
}

bool IsPlain(absl::string_view text) {
  const std::string without = absl::StrReplaceAll(text, {{"\\", "/"}});
  return Escape(without, without.size()) == without;
}

std::string Quoted(absl::string_view text) { return absl::StrCat("\"", Escape(text, 80), "\""); }

std::string ToString(const Problem& problem) {
  return absl::StrCat(problem.file, ":", problem.line, ":", problem.column, ": ",
                      problem.is_warning ? "warning: " : "error: ", problem.message);
}

}  // namespace kvmsentry
