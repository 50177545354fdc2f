#include "sensor/spec/selection.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/base/escape.h"
#include "sensor/base/glob.h"

namespace kvmsentry {
namespace {

struct FieldOfVm {
  absl::string_view field;  // of a selector
  absl::string_view what;
  const std::vector<std::string>* patterns;
  absl::string_view value;
};

std::vector<FieldOfVm> FieldsOf(const Selector& selector, const VmFacts& facts) {
  std::vector<FieldOfVm> fields = {{"vm", "its name", &selector.vm, facts.given_name},
                                   {"uuid", "its uuid", &selector.uuid, facts.uuid},
                                   {"cgroup", "its cgroup", &selector.cgroup, facts.cgroup},
                                   {"vmm", "its VMM", &selector.vmm, facts.vmm}};
  std::erase_if(fields, [](const FieldOfVm& field) { return field.patterns->empty(); });
  return fields;
}

std::string InQuotes(absl::string_view text) { return absl::StrCat("\"", Escape(text, 80), "\""); }

// Nullptr: none.
const std::string* PatternThatMatches(const FieldOfVm& field) {
  const auto found = std::ranges::find_if(
      *field.patterns, [&](const std::string& pattern) { return GlobMatch(pattern, field.value); });
  return found == field.patterns->end() ? nullptr : &*found;
}

// By which patterns SELECTOR matches, or which field does not.
struct Match {
  bool matches = true;
  std::string reason;
};

Match MatchOf(const Selector& selector, const VmFacts& facts) {
  std::vector<std::string> reasons;
  for (const FieldOfVm& field : FieldsOf(selector, facts)) {
    const std::string* const pattern = PatternThatMatches(field);
    if (pattern == nullptr) {
      return {false, absl::StrCat(field.what, " ", InQuotes(field.value), " matches no pattern of ",
                                  field.field)};
    }
    reasons.push_back(absl::StrCat(field.what, " ", InQuotes(field.value), " matches ", field.field,
                                   " ", InQuotes(*pattern)));
  }
  return {true, reasons.empty() ? "it selects every VM" : absl::StrJoin(reasons, ", ")};
}

bool IsForParts(const Selector& selector) { return !selector.part.empty(); }

}  // namespace

Selection SelectionOf(const Selector& select, const std::vector<Selector>& except,
                      const VmFacts& facts) {
  const Match selected = MatchOf(select, facts);
  if (!selected.matches) {
    return {.verdict = Selection::Verdict::kNotSelected, .except = 0, .reason = selected.reason};
  }
  std::string parts = IsForParts(select) ? "; only of parts that match its patterns" : "";
  for (size_t i = 0; i < except.size(); ++i) {
    const Match excepted = MatchOf(except[i], facts);
    if (!excepted.matches) continue;
    if (!IsForParts(except[i])) {
      return {.verdict = Selection::Verdict::kExcepted, .except = i, .reason = excepted.reason};
    }
    if (parts.empty()) parts = "; not of parts that an exception names";
  }
  return {.verdict = Selection::Verdict::kSelected,
          .except = 0,
          .reason = absl::StrCat(selected.reason, parts)};
}

}  // namespace kvmsentry
