#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"

#include "sensor/spec/check.h"
#include "sensor/spec/covers.h"

namespace kvmsentry {

void CheckIdsAreUnique(const std::vector<PlacedSpec>& specs, std::vector<Problem>& problems) {
  std::map<absl::string_view, const PlacedSpec*> first;
  for (const PlacedSpec& placed : specs) {
    if (placed.spec.id.empty()) continue;
    const auto [found, fresh] = first.emplace(placed.spec.id, &placed);
    if (fresh) continue;
    const PlacedSpec& other = *found->second;
    Report(placed.file, problems)(
        placed.id_at,
        absl::StrCat("id ", Quoted(placed.spec.id), " is already used at ", other.file, ":",
                     other.id_at.line, ":", other.id_at.column,
                     other.layer == placed.layer
                         ? ""
                         : absl::StrCat("; change that spec by override { spec: ",
                                        Quoted(placed.spec.id), " ... }, or choose another id")));
  }
}

namespace {

// Each is compared with each: some milliseconds.
constexpr size_t kMaxCompared = 1000;

// One that could be read; the others were reported already.
bool IsWhole(const Spec& spec) {
  return !spec.id.empty() && spec.point != Point::kNone && spec.severity != Severity::kNone;
}

}  // namespace

// Of two that shadow each other, the later one is named.
void CheckNoneIsShadowed(const std::vector<PlacedSpec>& specs, std::vector<Problem>& problems) {
  const auto is_error = [](const Problem& problem) { return !problem.is_warning; };
  if (std::ranges::any_of(problems, is_error)) return;
  std::map<FeatureId, std::vector<const PlacedSpec*>> alike;
  for (const PlacedSpec& placed : specs) {
    if (IsWhole(placed.spec)) alike[placed.spec.feature].push_back(&placed);
  }
  for (const auto& [feature, group] : alike) {
    if (group.size() > kMaxCompared) continue;
    for (size_t i = 0; i < group.size(); ++i) {
      const PlacedSpec& shadowed = *group[i];
      for (size_t j = 0; j < group.size(); ++j) {
        const PlacedSpec& by = *group[j];
        if (i == j || by.spec.id == shadowed.spec.id || !Shadows(by.spec, shadowed.spec)) continue;
        if (i < j && Shadows(shadowed.spec, by.spec)) continue;
        Report(shadowed.file, problems)
            .Warn(shadowed.id_at,
                  absl::StrCat(
                      "spec ", Quoted(shadowed.spec.id), " is shadowed by ", Quoted(by.spec.id),
                      " at ", by.file, ":", by.id_at.line, ":", by.id_at.column,
                      ", which reports all that it could, no less severely: change its norm, "
                      "severity or VMs, or remove it"));
        break;
      }
    }
  }
}

}  // namespace kvmsentry
