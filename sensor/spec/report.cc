#include "sensor/spec/report.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "sensor/base/escape.h"

namespace kvmsentry {

void Report::operator()(TextPosition at, std::string message) const {
  problems_.push_back({std::string(file_), at.line, at.column, std::move(message)});
}

void Report::Warn(TextPosition at, std::string message) const {
  problems_.push_back({std::string(file_), at.line, at.column, std::move(message), true});
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
