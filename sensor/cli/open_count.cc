#include "sensor/cli/open_count.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kvmsentry {

std::string ToText(const OpenCount& open) {
  std::vector<std::string> by_severity;
  uint64_t sum = 0;
  for (const auto& [severity, count] : open.heard) {
    by_severity.push_back(absl::StrCat(count, " ", v1::Severity_Name(severity)));
    sum += count;
  }
  std::string text =
      sum == 0 ? "none open" : absl::StrCat(sum, " open: ", absl::StrJoin(by_severity, ", "));
  if (open.own > 0) absl::StrAppend(&text, " (", open.own, " of the sensor itself)");
  if (open.observed > 0) absl::StrAppend(&text, "; ", open.observed, " observed only");
  if (open.silenced > 0) absl::StrAppend(&text, "; ", open.silenced, " silenced");
  return text;
}

}  // namespace kvmsentry
