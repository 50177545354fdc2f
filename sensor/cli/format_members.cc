#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

Cell NormCell(const v1::SeenMember& member) {
  if (!member.outside().empty()) {
    return {absl::StrCat("outside ", absl::StrJoin(member.outside(), ", ")), Paint::kYellow};
  }
  return {member.judged() ? "normal" : "no spec", Paint::kPlain};
}

}  // namespace

std::string FormatMembers(const v1::ListMembersResponse& response, const Look& look) {
  std::string out;
  for (int begin = 0; begin < response.members_size();) {
    const std::string& feature = response.members(begin).feature();
    Table table(
        {{feature, false, true}, {"FIRST SEEN", true}, {"LAST SEEN", true}, {"NORM", false, true}});
    int end = begin;
    for (; end < response.members_size() && response.members(end).feature() == feature; ++end) {
      const v1::SeenMember& member = response.members(end);
      table.Add({{member.text()},
                 {absl::StrCat(AgeText(look.now - ToTime(member.first_seen())), " ago")},
                 {absl::StrCat(AgeText(look.now - ToTime(member.last_seen())), " ago")},
                 NormCell(member)});
    }
    absl::StrAppend(&out, out.empty() ? "" : "\n", table.RenderFit(look.style, look.width));
    for (const v1::MembersLeftOut& left_out : response.left_out()) {
      if (left_out.feature() != feature) continue;
      absl::StrAppend(&out, "and others, which are not kept: seen ",
                      WithThousands(left_out.sightings()), " times\n");
    }
    begin = end;
  }
  return out;
}

}  // namespace kvmsentry
