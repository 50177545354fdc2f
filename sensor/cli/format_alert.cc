#include "sensor/cli/format_alert.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

#include "sensor/base/wrap.h"
#include "sensor/cli/detail.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

constexpr size_t kSeverityWidth = 8;
constexpr char kBlanks[] = "  ";
constexpr char kFullTime[] = "%Y-%m-%d %H:%M:%E3S";

// Nothing where TEXT is empty.
void AppendAny(const Look& look, absl::string_view label, absl::string_view text,
               std::string& out) {
  constexpr DetailShape kShape = {.label_width = 9, .max_lines = 20};
  if (!text.empty()) AppendDetail(look, kShape, label, text, Paint::kPlain, out);
}

constexpr char kBy[] = "by";  // who did it, which has a line of its own

std::string ByOf(const v1::Alert& alert) {
  const auto by = alert.evidence().find(kBy);
  return by == alert.evidence().end() ? "" : by->second;
}

std::string EvidenceOf(const v1::Alert& alert) {
  std::map<std::string, std::string> ordered(alert.evidence().begin(), alert.evidence().end());
  ordered.erase(kBy);
  return absl::StrJoin(ordered, ", ", absl::PairFormatter(" "));
}

// "web-1", "web-1/vcpu-3"
std::string WhoseText(const v1::Alert& alert) {
  if (!alert.has_vm()) return "(sensor)";
  return absl::StrCat(alert.vm().name(), alert.part().empty() ? "" : "/", alert.part());
}

absl::string_view MarkOf(v1::Alert::State state) {
  switch (state) {
    case v1::Alert::OPEN:
      return "+";
    case v1::Alert::CLEARED:
      return "-";
    default:
      return "~";
  }
}

// Without the VM, which has a column of its own.
std::string SummaryOf(const v1::Alert& alert) {
  absl::string_view summary = alert.summary();
  absl::ConsumePrefix(&summary, absl::StrCat("VM \"", alert.vm().name(), "\""));
  if (!absl::ConsumePrefix(&summary, ": ")) absl::ConsumePrefix(&summary, " ");
  std::string text;
  if (alert.silenced_by() != 0) absl::StrAppend(&text, "[s", alert.silenced_by(), "] ");
  absl::StrAppend(&text, summary);
  if (alert.observation_lost()) {
    absl::StrAppend(&text, " (something was lost: values may be too low)");
  }
  return text;
}

// What is silenced is dim throughout.
Paint PaintFor(const v1::Alert& alert, Paint paint) {
  return alert.silenced_by() != 0 ? Paint::kDim : paint;
}

// All but the summary.
std::string Head(const v1::Alert& alert, const AlertColumns& columns, absl::string_view time,
                 const Look& look) {
  const auto cell = [&](absl::string_view text, Paint paint, size_t width) {
    return Padded(look.style, {std::string(text), PaintFor(alert, paint)}, width);
  };
  return absl::StrCat(
      cell(time, Paint::kPlain, columns.time), " ",
      cell(MarkOf(alert.state()), PaintOf(alert.state()), 1), " ",
      cell(v1::Severity_Name(alert.severity()), PaintOf(alert.severity()), kSeverityWidth), kBlanks,
      cell(WhoseText(alert), Paint::kBold, columns.vm), kBlanks,
      cell(alert.spec_id(), Paint::kPlain, columns.spec));
}

// The columns that a head takes, of which one that is too long for its column moves the others.
size_t WidthOfHead(const v1::Alert& alert, const AlertColumns& columns, absl::string_view time) {
  return std::max(columns.time, time.size()) + 3 + kSeverityWidth + 2 * strlen(kBlanks) +
         std::max(columns.vm, WidthOf(WhoseText(alert))) +
         std::max(columns.spec, WidthOf(alert.spec_id()));
}

}  // namespace

AlertColumns ColumnsFor(const std::vector<v1::Alert>& alerts, const Look& look) {
  AlertColumns columns{.time = 8, .vm = 2, .spec = 4};
  for (const v1::Alert& alert : alerts) {
    columns.time =
        std::max(columns.time, ShortTime(ToTime(alert.at()), look.now, look.zone).size());
    columns.vm = std::max(columns.vm, WidthOf(WhoseText(alert)));
    columns.spec = std::max(columns.spec, WidthOf(alert.spec_id()));
  }
  if (look.wide()) return columns;
  columns.vm = std::min(columns.vm, std::max<size_t>(look.width / 6, 8));
  columns.spec = std::min(columns.spec, std::max<size_t>(look.width / 5, 8));
  return columns;
}

std::string FormatAlert(const v1::Alert& alert, const AlertColumns& columns, const Look& look) {
  constexpr absl::string_view kIndent = "    ";
  constexpr size_t kMostLines = 20;
  const std::string time = ShortTime(ToTime(alert.at()), look.now, look.zone);
  const std::string summary = SummaryOf(alert);
  const size_t taken = WidthOfHead(alert, columns, time) + strlen(kBlanks);
  if (look.wide() || taken + WidthOf(summary) <= look.width) {
    return absl::StrCat(Head(alert, columns, time, look), kBlanks,
                        look.style(PaintFor(alert, Paint::kPlain), summary), "\n");
  }
  const AlertColumns without_end = {.time = columns.time, .vm = columns.vm, .spec = 0};
  std::string out = absl::StrCat(Head(alert, without_end, time, look), "\n");
  for (const std::string& line : WrapTo(summary, look.width - kIndent.size(), kMostLines)) {
    absl::StrAppend(&out, kIndent, look.style(PaintFor(alert, Paint::kPlain), line), "\n");
  }
  return out;
}

std::string FormatAlertInFull(const v1::Alert& alert, const Look& look) {
  const std::string time = absl::FormatTime(kFullTime, ToTime(alert.at()), look.zone);
  std::string out = Head(alert, {.time = 0, .vm = 0, .spec = 0}, time, look);
  out.push_back('\n');
  AppendAny(look, "what:", SummaryOf(alert), out);
  AppendAny(look, "by:", ByOf(alert), out);
  AppendAny(look, "why:", alert.why(), out);
  AppendAny(look, "look at:", alert.look_at(), out);
  AppendAny(look, "seen:", EvidenceOf(alert), out);
  return out;
}

OpenCount CountOpen(const std::vector<v1::Alert>& alerts) {
  OpenCount open;
  for (const v1::Alert& alert : alerts) {
    if (alert.observe_only()) {
      ++open.observed;
    } else if (alert.silenced_by() != 0) {
      ++open.silenced;
    } else {
      ++open.heard[alert.severity()];
      if (!alert.has_vm()) ++open.own;
    }
  }
  return open;
}

}  // namespace kvmsentry
