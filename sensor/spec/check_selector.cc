#include <algorithm>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/base/glob.h"
#include "sensor/spec/check.h"

namespace kvmsentry {
namespace {

constexpr int kMaxPatterns = 64;
constexpr size_t kMaxPatternLength = 256;
constexpr size_t kUuidLength = 36;  // 8-4-4-4-12 digits

// Why no VM can ever match PATTERN of FIELD; empty where one may.
using WhyNone = std::function<std::string(absl::string_view pattern)>;

// PATTERN up to its first wildcard.
absl::string_view Literal(absl::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of("*?["));
}

std::string AnyName(absl::string_view) { return ""; }

std::string NoUuid(absl::string_view pattern) {
  if (pattern.find_first_not_of("0123456789abcdef-*?[]!^") != absl::string_view::npos) {
    return "a uuid is written in lower-case hexadecimal digits and '-'";
  }
  if (pattern.find('[') != absl::string_view::npos) return "";
  const auto stars = static_cast<size_t>(std::ranges::count(pattern, '*'));
  const size_t characters = pattern.size() - stars;
  if (characters > kUuidLength || (stars == 0 && characters != kUuidLength)) {
    return absl::StrCat("a uuid has ", kUuidLength, " characters; write '*' for any run of them");
  }
  return "";
}

std::string NoCgroup(absl::string_view pattern) {
  if (pattern[0] == '/' || pattern[0] == '*' || pattern[0] == '?' || pattern[0] == '[') return "";
  return "the path of a cgroup begins with '/'";
}

std::string NoVmm(absl::string_view pattern) {
  const auto matches = [pattern](absl::string_view vmm) { return GlobMatch(pattern, vmm); };
  if (std::ranges::any_of(kVmms, matches)) return "";
  return absl::StrCat("it is one of ", absl::StrJoin(kVmms, ", "));
}

template <typename Strings>
std::vector<std::string> Patterns(absl::string_view field, const Strings& patterns,
                                  const WhyNone& why, const Places& places, const Report& report) {
  if (patterns.size() > kMaxPatterns) {
    report(places.Of(field), absl::StrCat("select has ", patterns.size(), " patterns for ", field,
                                          "; at most ", kMaxPatterns));
    return {};
  }
  const std::vector<TextPosition> at = places.ValuesOf(field);
  for (int i = 0; i < patterns.size(); ++i) {
    const std::string& pattern = patterns[i];
    const TextPosition here =
        static_cast<size_t>(i) < at.size() ? at[static_cast<size_t>(i)] : places.Of(field);
    if (pattern.empty()) {
      report(here, absl::StrCat("empty pattern for ", field, "; write \"*\" for any"));
    } else if (pattern.size() > kMaxPatternLength) {
      report(here, absl::StrCat("pattern for ", field, " is ", pattern.size(),
                                " bytes long; at most ", kMaxPatternLength));
    } else if (!IsPlain(pattern)) {
      report(here, absl::StrCat("pattern for ", field,
                                " holds a control or formatting character, or is no UTF-8"));
    } else if (const auto problem = GlobProblem(pattern); !problem.empty()) {
      report(here, absl::StrCat("pattern for ", field, " ", Quoted(pattern), ": ", problem));
    } else if (const std::string none = why(pattern); !none.empty()) {
      report(here, absl::StrCat("no VM can match ", field, " ", Quoted(pattern), ": ", none));
    }
  }
  return {patterns.begin(), patterns.end()};
}

}  // namespace

Selector CheckSelector(const v1::Selector& select, const Places& places, const Feature* feature,
                       const Report& report) {
  if (feature != nullptr && feature->part == PartKind::kVm && !select.part().empty()) {
    report(places.Of("part"), absl::StrCat("part: feature \"", feature->name,
                                           "\" is observed of the whole VM, not of its parts"));
    feature = nullptr;
  }
  const auto no_part = [feature](absl::string_view pattern) -> std::string {
    if (feature == nullptr) return "";
    const std::string prefix = absl::StrCat(PartKindName(feature->part), "-");
    const absl::string_view literal = Literal(pattern);
    if (absl::StartsWith(prefix, literal.substr(0, prefix.size()))) {
      if (literal.size() < pattern.size() || literal.size() > prefix.size()) return "";
    }
    return absl::StrCat("parts of feature \"", feature->name, "\" are called ", prefix, "...");
  };
  return {.vm = Patterns("vm", select.vm(), AnyName, places, report),
          .uuid = Patterns("uuid", select.uuid(), NoUuid, places, report),
          .cgroup = Patterns("cgroup", select.cgroup(), NoCgroup, places, report),
          .vmm = Patterns("vmm", select.vmm(), NoVmm, places, report),
          .part = Patterns("part", select.part(), no_part, places, report)};
}

}  // namespace kvmsentry
