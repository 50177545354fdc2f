// Texts of specs for tests, a field a line, so that places are easy to see.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_join.h"

#include "sensor/spec/library.h"

namespace kvmsentry {

class SpecText {
 public:
  // Replaces line LINE, counted from 1: 2 id, 3 point, 4 feature, 5 norm, 6 weight, 7 severity,
  // 8 why, 9 look_at.
  SpecText& With(size_t line, std::string text) {
    lines_.at(line - 1) = std::move(text);
    return *this;
  }
  std::string text() const { return absl::StrJoin(lines_, "\n") + "\n"; }

 private:
  std::vector<std::string> lines_ = {
      "spec {",
      "  id: \"a-spec\"",
      "  point: K2",
      "  feature: \"pio.rate\"",
      "  norm { max: 10 }",
      "  weight: 30",
      "  severity: WARNING",
      "  why: \"It matters.\"",
      "  look_at: \"There.\"",
      "}",
  };
};

inline std::vector<std::string> ProblemsOf(const std::vector<SpecSource>& sources) {
  std::vector<std::string> texts;
  for (const Problem& problem : SpecLibrary::Parse(sources).problems) {
    texts.push_back(ToString(problem));
  }
  return texts;
}

// Of one file, "f"; without "f:" and "error: ", which all have.
inline std::vector<std::string> ProblemsOf(const std::string& text) {
  std::vector<std::string> texts;
  for (const Problem& p : SpecLibrary::Parse({{"f", text}}).problems) {
    texts.push_back(
        absl::StrCat(p.line, ":", p.column, ": ", p.is_warning ? "warning: " : "", p.message));
  }
  return texts;
}

}  // namespace kvmsentry
