#include "sensor/spec/selector.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

#include "sensor/base/escape.h"
#include "sensor/base/glob.h"

namespace kvmsentry {
namespace {

constexpr size_t kPatternsShown = 3;
constexpr size_t kPatternBytesShown = 64;

bool AnyMatches(const std::vector<std::string>& patterns, absl::string_view text) {
  return patterns.empty() || std::ranges::any_of(patterns, [text](const std::string& pattern) {
           return GlobMatch(pattern, text);
         });
}

void AppendField(absl::string_view how, const std::vector<std::string>& patterns, TextLength length,
                 std::vector<std::string>& parts) {
  if (patterns.empty() || std::ranges::find(patterns, "*") != patterns.end()) return;
  const size_t shown = std::min(patterns.size(), MaxShown(length, kPatternsShown));
  const size_t bytes = MaxShown(length, kPatternBytesShown);
  std::vector<std::string> texts;
  for (size_t i = 0; i < shown; ++i) texts.push_back(Escape(patterns[i], bytes));
  if (shown < patterns.size()) texts.push_back(absl::StrCat(patterns.size() - shown, " more"));
  parts.push_back(absl::StrCat(how, " ", absl::StrJoin(texts, " or ")));
}

// "named web-*, run by qemu"; empty: all.
std::string VmsText(const Selector& selector, TextLength length) {
  std::vector<std::string> parts;
  AppendField("named", selector.vm, length, parts);
  AppendField("with uuid", selector.uuid, length, parts);
  AppendField("in cgroup", selector.cgroup, length, parts);
  AppendField("run by", selector.vmm, length, parts);
  return absl::StrJoin(parts, ", ");
}

// "parts vcpu-*"; empty: all.
std::string PartsText(const Selector& selector, TextLength length) {
  std::vector<std::string> parts;
  AppendField("parts", selector.part, length, parts);
  return absl::StrJoin(parts, ", ");
}

}  // namespace

bool Selector::Matches(const VmFacts& facts, absl::string_view part_name) const {
  return AnyMatches(vm, facts.given_name) && AnyMatches(uuid, facts.uuid) &&
         AnyMatches(cgroup, facts.cgroup) && AnyMatches(vmm, facts.vmm) &&
         (part.empty() || (!part_name.empty() && AnyMatches(part, part_name)));
}

bool Spec::Selects(const VmFacts& facts, absl::string_view part_name) const {
  return select.Matches(facts, part_name) &&
         std::ranges::none_of(
             except, [&](const Selector& selector) { return selector.Matches(facts, part_name); });
}

std::string SelectorText(const Selector& selector, const std::vector<Selector>& except,
                         TextLength length) {
  std::string text = PartsText(selector, length);
  const std::string vms = VmsText(selector, length);
  absl::StrAppend(&text, text.empty() ? "" : " of ", vms.empty() ? "all VMs" : "VMs ", vms);
  for (const Selector& left_out : except) {
    const std::string part = PartsText(left_out, length);
    const std::string of = VmsText(left_out, length);
    absl::StrAppend(&text, ", except ", part, part.empty() || of.empty() ? "" : " of ",
                    of.empty() ? "" : "VMs ", of);
  }
  return text;
}

}  // namespace kvmsentry
