#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// A stream cannot know how wide its columns will be: these fit what is usual, and a longer text
// moves the rest of its line.
constexpr size_t kSeverityWidth = 8;
constexpr size_t kStateWidth = 7;
constexpr size_t kVmWidth = 18;
constexpr size_t kSpecWidth = 16;

void AppendDetail(const Style& style, absl::string_view label, absl::string_view text,
                  std::string& out) {
  if (text.empty()) return;
  absl::StrAppend(&out, "    ", Padded(style, {std::string(label), Paint::kDim}, 9), " ",
                  style(Paint::kPlain, text), "\n");
}

std::string EvidenceOf(const v1::Alert& alert) {
  const std::map<std::string, std::string> ordered(alert.evidence().begin(),
                                                   alert.evidence().end());
  return absl::StrJoin(ordered, ", ", absl::PairFormatter(" "));
}

// "web-1", "web-1/vcpu-3"
std::string WhoseText(const v1::Alert& alert) {
  if (!alert.has_vm()) return "(sensor)";
  return absl::StrCat(alert.vm().name(), alert.part().empty() ? "" : "/", alert.part());
}

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

std::string FormatAlert(const v1::Alert& alert, const Style& style, absl::TimeZone zone) {
  std::string out = absl::StrCat(
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", ToTime(alert.at()), zone), "  ",
      Padded(style, {v1::Severity_Name(alert.severity()), PaintOf(alert.severity())},
             kSeverityWidth),
      "  ",
      Padded(style, {v1::Alert::State_Name(alert.state()), PaintOf(alert.state())}, kStateWidth),
      "  ");
  absl::StrAppend(&out, Padded(style, {WhoseText(alert), Paint::kBold}, kVmWidth), "  ",
                  Padded(style, {alert.spec_id(), Paint::kPlain}, kSpecWidth), "  ",
                  style(Paint::kPlain, alert.summary()));
  if (alert.observation_lost()) {
    absl::StrAppend(&out, style(Paint::kYellow, " (something was lost: values may be too low)"));
  }
  out.push_back('\n');
  if (alert.state() != v1::Alert::OPEN) return out;
  AppendDetail(style, "why:", alert.why(), out);
  AppendDetail(style, "look at:", alert.look_at(), out);
  AppendDetail(style, "seen:", EvidenceOf(alert), out);
  return out;
}

std::string FormatGap(const v1::Gap& gap, const Style& style) {
  return style(Paint::kYellow, absl::StrCat("-- gap: ", WordsOf(gap))) + "\n";
}

}  // namespace kvmsentry
