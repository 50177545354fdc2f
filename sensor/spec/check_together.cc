#include <map>

#include "absl/strings/str_cat.h"

#include "sensor/spec/check.h"

namespace kvmsentry {
namespace {

void CheckIdsAreUnique(const std::vector<PlacedSpec>& specs, std::vector<Problem>& problems) {
  std::map<absl::string_view, const PlacedSpec*> first;
  for (const PlacedSpec& placed : specs) {
    if (placed.spec.id.empty()) continue;
    const auto [found, fresh] = first.emplace(placed.spec.id, &placed);
    if (fresh) continue;
    const PlacedSpec& other = *found->second;
    Report(placed.file, problems)(
        placed.id_at, absl::StrCat("id ", Quoted(placed.spec.id), " is already used at ",
                                   other.file, ":", other.id_at.line, ":", other.id_at.column));
  }
}

}  // namespace

void CheckTogether(const std::vector<PlacedSpec>& specs, std::vector<Problem>& problems) {
  CheckIdsAreUnique(specs, problems);
}

}  // namespace kvmsentry
