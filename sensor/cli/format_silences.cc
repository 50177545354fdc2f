#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// "1h59m"; the last minute in seconds.
std::string LeftText(absl::Duration left) {
  return InSeconds(left < absl::Minutes(1) ? left : absl::Trunc(left, absl::Minutes(1)));
}

}  // namespace

std::string MatchText(const v1::SilenceMatch& match) {
  std::vector<std::string> parts;
  if (!match.vm().empty()) parts.push_back(absl::StrCat("vm ", match.vm()));
  if (!match.spec().empty()) parts.push_back(absl::StrCat("spec ", match.spec()));
  if (match.point() != v1::POINT_UNSPECIFIED) {
    parts.push_back(absl::StrCat("point ", v1::Point_Name(match.point())));
  }
  if (match.max_severity() != v1::SEVERITY_UNSPECIFIED) {
    parts.push_back(absl::StrCat("at most ", v1::Severity_Name(match.max_severity())));
  }
  return absl::StrJoin(parts, ", ");
}

std::string FormatSilences(const v1::ListSilencesResponse& response, const Look& look) {
  if (response.silences().empty()) return "no silences\n";
  Table table({{"ID", true},
               {"ENDS IN", true},
               {"ALERTS", false, true},
               {"BY", false, true},
               {"COMMENT", false, true}});
  for (const v1::Silence& silence : response.silences()) {
    table.Add({{absl::StrCat(silence.id())},
               {LeftText(ToTime(silence.ends_at()) - look.now)},
               {MatchText(silence.match())},
               {silence.author().empty() ? "-" : silence.author()},
               {silence.comment()}});
  }
  return table.RenderFit(look.style, look.width);
}

}  // namespace kvmsentry
