#include "tests/scenario/parse.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include "tests/scenario/check.h"

namespace kvmsentry::scenario {
namespace {

namespace fs = std::filesystem;
using google::protobuf::TextFormat;

class Complaints : public google::protobuf::io::ErrorCollector {
 public:
  explicit Complaints(absl::string_view file) : file_(file) {}
  void AddError(int line, int column, const std::string& message) override {
    absl::StrAppend(&text_, text_.empty() ? "" : "\n", file_, ":", line + 1, ":", column + 1, ": ",
                    message);
  }
  absl::Status ToStatus() const { return absl::InvalidArgumentError(text_); }
  bool None() const { return text_.empty(); }

 private:
  absl::string_view file_;
  std::string text_;
};

absl::StatusOr<Scenario> ReadFile(const fs::path& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream || !text) return absl::UnavailableError(absl::StrCat("cannot read ", path.string()));
  return Parse(path.string(), text.str());
}

}  // namespace

absl::StatusOr<Scenario> Parse(absl::string_view file, const std::string& text) {
  Complaints complaints(file);
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&complaints);
  parser.WriteLocationsTo(&tree);
  Scenario scenario;
  if (!parser.ParseFromString(text, &scenario)) return complaints.ToStatus();

  const auto* steps = Scenario::descriptor()->FindFieldByNumber(Scenario::kStepFieldNumber);
  for (const Problem& problem : Check(scenario)) {
    TextFormat::ParseLocation at{0, 0};
    if (problem.step >= 0) at = tree.GetLocation(steps, problem.step);
    complaints.AddError(at.line, at.column, problem.what);
  }
  if (!complaints.None()) return complaints.ToStatus();
  return scenario;
}

absl::StatusOr<std::vector<Named>> ReadFolder(const std::string& folder) {
  std::vector<Named> all;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".textproto") continue;
    all.push_back({.name = entry.path().stem(), .scenario = ReadFile(entry.path())});
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("reading ", folder));
  if (all.empty()) return absl::NotFoundError(absl::StrCat("no *.textproto file in ", folder));
  std::ranges::sort(all, {}, &Named::name);
  return all;
}

}  // namespace kvmsentry::scenario
