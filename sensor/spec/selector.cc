#include "sensor/spec/selector.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

#include "sensor/base/escape.h"
#include "sensor/base/glob.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxPatternsShown = 3;
constexpr size_t kMaxPatternShown = 64;

bool AnyMatches(const std::vector<std::string>& patterns, absl::string_view text) {
  return patterns.empty() || std::ranges::any_of(patterns, [text](const std::string& pattern) {
           return GlobMatch(pattern, text);
         });
}

void AppendField(absl::string_view how, const std::vector<std::string>& patterns,
                 std::vector<std::string>& parts) {
  if (patterns.empty() || std::ranges::find(patterns, "*") != patterns.end()) return;
  const size_t shown = std::min(patterns.size(), kMaxPatternsShown);
  std::vector<std::string> texts;
  for (size_t i = 0; i < shown; ++i) texts.push_back(Escape(patterns[i], kMaxPatternShown));
  if (shown < patterns.size()) texts.push_back(absl::StrCat(patterns.size() - shown, " more"));
  parts.push_back(absl::StrCat(how, " ", absl::StrJoin(texts, " or ")));
}

}  // namespace

bool Selector::Matches(const VmFacts& facts) const {
  return AnyMatches(vm, facts.given_name) && AnyMatches(uuid, facts.uuid) &&
         AnyMatches(cgroup, facts.cgroup) && AnyMatches(vmm, facts.vmm);
}

std::string SelectorText(const Selector& selector) {
  std::vector<std::string> parts;
  AppendField("named", selector.vm, parts);
  AppendField("with uuid", selector.uuid, parts);
  AppendField("in cgroup", selector.cgroup, parts);
  AppendField("run by", selector.vmm, parts);
  if (parts.empty()) return "all VMs";
  return absl::StrCat("VMs ", absl::StrJoin(parts, ", "));
}

}  // namespace kvmsentry
