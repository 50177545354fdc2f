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

class TextWriter {
 public:
  explicit TextWriter(TextLength length) : length_(length) {}

  // "named web-*, run by qemu"; empty: all.
  std::string Vms(const Selector& selector) const {
    std::vector<std::string> fields;
    AppendField("named", selector.vm, fields);
    AppendField("with uuid", selector.uuid, fields);
    AppendField("in cgroup", selector.cgroup, fields);
    AppendField("run by", selector.vmm, fields);
    return absl::StrJoin(fields, ", ");
  }

  // "parts vcpu-*"; empty: all.
  std::string Parts(const Selector& selector) const {
    std::vector<std::string> fields;
    AppendField("parts", selector.part, fields);
    return absl::StrJoin(fields, ", ");
  }

 private:
  void AppendField(absl::string_view how, const std::vector<std::string>& patterns,
                   std::vector<std::string>& fields) const {
    if (patterns.empty() || std::ranges::find(patterns, "*") != patterns.end()) return;
    const size_t shown = std::min(patterns.size(), MaxShown(length_, kPatternsShown));
    std::vector<std::string> texts;
    for (size_t i = 0; i < shown; ++i) {
      texts.push_back(Escape(patterns[i], MaxShown(length_, kPatternBytesShown)));
    }
    if (shown < patterns.size()) texts.push_back(absl::StrCat(patterns.size() - shown, " more"));
    fields.push_back(absl::StrCat(how, " ", absl::StrJoin(texts, " or ")));
  }

  TextLength length_;
};

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
  const TextWriter writer(length);
  std::string text = writer.Parts(selector);
  const std::string vms = writer.Vms(selector);
  absl::StrAppend(&text, text.empty() ? "" : " of ", vms.empty() ? "all VMs" : "VMs ", vms);
  for (const Selector& left_out : except) {
    const std::string part = writer.Parts(left_out);
    const std::string of = writer.Vms(left_out);
    absl::StrAppend(&text, ", except ", part, part.empty() || of.empty() ? "" : " of ",
                    of.empty() ? "" : "VMs ", of);
  }
  return text;
}

}  // namespace kvmsentry
