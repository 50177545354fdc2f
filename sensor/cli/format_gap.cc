#include <string>

#include "absl/strings/str_cat.h"

#include "sensor/cli/format_alert.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

std::string MissingOf(const v1::Gap& gap) {
  const bool countable =
      gap.from().epoch() == gap.to().epoch() && gap.to().sequence() >= gap.from().sequence();
  if (!countable) return "alerts are missing";
  const uint64_t missing = gap.to().sequence() - gap.from().sequence() + 1;
  return absl::StrCat(Counted(missing, "alert"), missing == 1 ? " is" : " are", " missing (",
                      ToText(gap.from()), missing == 1 ? "" : " to ",
                      missing == 1 ? "" : ToText(gap.to()), ")");
}

std::string WordsOf(const v1::Gap& gap) {
  switch (gap.reason()) {
    case v1::Gap::EPOCH_CHANGED:
      return absl::StrCat("the stream has started again since ", ToText(gap.from()),
                          ": what came after that in the earlier run is missing; continuing with "
                          "the oldest that is kept");
    case v1::Gap::NO_LONGER_KEPT:
      return absl::StrCat(MissingOf(gap), ": no longer kept");
    case v1::Gap::SLOW_SUBSCRIBER:
      return absl::StrCat(MissingOf(gap), ": this client did not read fast enough");
    case v1::Gap::NOT_YET_WRITTEN:
      return absl::StrCat(
          "position ", ToText(gap.to()),
          " is ahead of the stream, so it is not of this sensor; continuing with the "
          "oldest that is kept");
    default:
      return MissingOf(gap);
  }
}

}  // namespace

std::string FormatGap(const v1::Gap& gap, const Style& style) {
  return style(Paint::kYellow, absl::StrCat("-- gap: ", WordsOf(gap))) + "\n";
}

}  // namespace kvmsentry
