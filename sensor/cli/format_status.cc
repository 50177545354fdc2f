#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "sensor/base/wrap.h"
#include "sensor/cli/format.h"
#include "sensor/cli/format_status_parts.h"
#include "sensor/cli/health.h"
#include "sensor/cli/open_count.h"
#include "sensor/cli/points.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// What fits a terminal of 80 by 24, of which the prompt takes a line.
constexpr size_t kLabelWidth = 10;
constexpr size_t kTextWidth = 80 - kLabelWidth;
constexpr size_t kMostLines = 23;

std::string Cost(const v1::GetStatusResponse& status) {
  if (!status.cost_unknown().empty()) return absl::StrCat("unknown: ", status.cost_unknown());
  return absl::StrCat(status.has_cost_percent()
                          ? absl::StrCat(ThreeDigits(status.cost_percent()), "% of all CPUs")
                          : "not measured yet",
                      "; ",
                      status.cost_budget_percent() > 0
                          ? absl::StrCat("budget ", ThreeDigits(status.cost_budget_percent()), "%")
                          : "no budget");
}

std::string Vms(const v1::GetStatusResponse& status) {
  std::string out =
      absl::StrCat(status.vms_watched(), " watched, ", status.vms_unwatched(), " not watched");
  if (status.vms_hidden() > 0) absl::StrAppend(&out, ", ", status.vms_hidden(), " hidden");
  return out;
}

// The VMs' and the sensor's own: a fault is open as long as its alert is.
OpenCount OpenAlertsOf(const v1::GetStatusResponse& status) {
  OpenCount open;
  for (const v1::OpenAlerts& alerts : status.open_alerts()) {
    if (alerts.count() > 0) open.heard[alerts.severity()] += alerts.count();
    open.silenced += alerts.silenced();
  }
  for (const v1::Fault& fault : status.faults()) {
    if (fault.silenced_by() != 0) {
      ++open.silenced;
    } else {
      ++open.heard[fault.severity()];
      ++open.own;
    }
  }
  return open;
}

// Of the host's own, and nothing where its kernel tells none.
std::string Pressure(const v1::GetStatusResponse& status) {
  std::vector<std::string> parts;
  for (const v1::HostPressure& pressure : status.host_pressure()) {
    parts.push_back(absl::StrCat(pressure.of(), " ", ThreeDigits(pressure.some_percent()), "%"));
  }
  return parts.empty() ? "" : absl::StrCat(absl::StrJoin(parts, ", "), " of the last 10 s");
}

// "28 of 53 hooks work, 13 of them not fired yet".
template <typename Parts>
std::string Working(const Parts& parts, absl::string_view noun) {
  const auto count = [&parts](v1::Coverage coverage) {
    return std::ranges::count_if(
        parts, [coverage](const auto& part) { return part.coverage() == coverage; });
  };
  const auto attached = count(v1::ATTACHED);
  return absl::StrCat(count(v1::ACTIVE) + attached, " of ", parts.size(), " ", noun,
                      attached == 0 ? "" : absl::StrCat(" (", attached, " not fired yet)"));
}

std::string LossesInShort(const v1::GetStatusResponse& status) {
  const auto reasons =
      std::ranges::count_if(status.losses(), [](const v1::Loss& loss) { return loss.count() > 0; });
  const auto recent = std::ranges::count_if(status.losses(),
                                            [](const v1::Loss& loss) { return loss.recent() > 0; });
  return reasons == 0 ? "none"
                      : absl::StrCat("for ", Counted(static_cast<uint64_t>(reasons), "reason"),
                                     ", of which ", recent, " within 20 min");
}

// Where alerts are kept, and how far they came.
std::string JournalText(const v1::GetStatusResponse& status) {
  const v1::Journal& journal = status.journal();
  constexpr double kMib = 1 << 20;
  const std::string kept =
      journal.path().empty()
          ? "in memory only, see --state-dir"
          : absl::StrFormat("%s%.1f of %.0f MiB", journal.problem().empty() ? "" : "NOT WRITTEN, ",
                            static_cast<double>(journal.bytes()) / kMib,
                            static_cast<double>(journal.max_bytes()) / kMib);
  return absl::StrCat(kept, "; ",
                      status.last_alert().sequence() == 0
                          ? "no alert yet"
                          : absl::StrCat("last alert ", ToText(status.last_alert())),
                      "; ", Counted(status.subscribers(), "subscriber"));
}

// The library that is loaded; nothing of a daemon that does not tell.
std::string LibraryText(const v1::SpecLibraryStatus& library, absl::TimeZone zone) {
  if (!library.has_loaded_at()) return "";
  std::string out =
      absl::StrCat(library.shipped_specs(), " shipped, ", library.site_specs(), " site");
  if (library.overridden_specs() > 0) {
    absl::StrAppend(&out, ", ", library.overridden_specs(), " changed");
  }
  if (library.disabled_specs() > 0) {
    absl::StrAppend(&out, ", ", library.disabled_specs(), " disabled");
  }
  const bool refused = !library.refused_reason().empty();
  absl::StrAppend(
      &out, refused ? "; REFUSED " : "; loaded ",
      absl::FormatTime("%m-%d %H:%M:%S",
                       ToTime(refused ? library.refused_at() : library.loaded_at()), zone));
  return out;
}

// A line with a label before it; a text that is too long is broken.
void AppendLine(const Style& style, const Cell& label, absl::string_view text, size_t max_lines,
                std::string& out) {
  Cell cell = label;
  for (const std::string& line : WrapTo(text, kTextWidth, max_lines)) {
    absl::StrAppend(&out, Padded(style, cell, kLabelWidth), style(Paint::kPlain, line), "\n");
    cell = {};
  }
}

// What of the method is seen here: the points, each in one of three lines.
void AppendPoints(const v1::GetStatusResponse& status, const Style& style, std::string& out) {
  std::vector<std::string> seen, partly, not_seen, no_spec;
  for (const PointCoverage& point : CoverageByPoint(status)) {
    const std::string name = v1::Point_Name(point.point);
    if (point.specs == 0) {
      no_spec.push_back(name);
    } else if (point.seen == point.specs) {
      seen.push_back(name);
    } else if (point.seen + point.partly > 0) {
      partly.push_back(absl::StrCat(name, " ", point.seen, "/", point.specs));
    } else {
      not_seen.push_back(name);
    }
  }
  const auto line = [&](absl::string_view label, const std::string& text) {
    if (!text.empty()) AppendLine(style, {std::string(label)}, text, 2, out);
  };
  line("seen", absl::StrJoin(seen, " "));
  line("in part", partly.empty() ? "" : absl::StrCat(absl::StrJoin(partly, ", "), " specs"));
  std::vector<std::string> nothing;
  if (!not_seen.empty())
    nothing.push_back(absl::StrCat(absl::StrJoin(not_seen, " "), ": see below"));
  if (!no_spec.empty()) nothing.push_back(absl::StrCat(absl::StrJoin(no_spec, " "), ": no spec"));
  line("not seen", absl::StrJoin(nothing, "; "));
}

constexpr struct {
  absl::string_view name;
  Paint paint;
} kHealths[] = {{"OK", Paint::kGreen}, {"WARNING", Paint::kYellow}, {"CRITICAL", Paint::kBoldRed}};

Cell LabelOf(Health health) {
  const auto& [name, paint] = kHealths[static_cast<size_t>(health)];
  return health == Health::kOk ? Cell{"note", Paint::kDim} : Cell{std::string(name), paint};
}

std::string AllFindings(const std::vector<Finding>& findings, const Style& style) {
  constexpr size_t kNoLimit = 1000;
  std::string out;
  for (const Finding& finding : findings) {
    AppendLine(style, LabelOf(finding.health), finding.text, kNoLimit, out);
  }
  return out;
}

// In at most ROOM lines. The worst take a second line each while there is room.
std::string FindingsText(const std::vector<Finding>& findings, size_t room, const Style& style) {
  const bool all = findings.size() <= room;
  const size_t shown = all ? findings.size() : room - 1;
  size_t spare = all ? room - shown : 0;
  std::string out;
  for (size_t i = 0; i < shown; ++i) {
    const bool longer = spare > 0 && WidthOf(findings[i].text) > kTextWidth;
    if (longer) --spare;
    AppendLine(style, LabelOf(findings[i].health), findings[i].text, longer ? 2 : 1, out);
  }
  if (!all) {
    absl::StrAppend(&out, findings.size() - shown, " more: --wide\n");
  }
  return out;
}

std::string Facts(const v1::GetStatusResponse& status, const Style& style, absl::Time now,
                  absl::TimeZone zone) {
  const absl::Time started = ToTime(status.started_at());
  const absl::Duration unobserved = ToDuration(status.unobserved());
  std::string out;
  const auto line = [&](absl::string_view label, const std::string& text) {
    if (!text.empty()) AppendLine(style, {std::string(label)}, text, 1, out);
  };
  line("running",
       absl::StrCat(InSeconds(now - started), ", since ",
                    absl::FormatTime("%Y-%m-%d %H:%M:%S", started, zone),
                    unobserved > absl::ZeroDuration()
                        ? absl::StrCat("; monitoring gap before: ", InSeconds(unobserved))
                        : ""));
  line("VMs", Vms(status));
  AppendLine(style, {"alerts"}, ToText(OpenAlertsOf(status)), 2, out);
  line("journal", JournalText(status));
  line("works",
       absl::StrCat(Working(status.hooks(), "hooks"), ", ", Working(status.specs(), "specs")));
  AppendPoints(status, style, out);
  line("library", LibraryText(status.library(), zone));
  line("losses", LossesInShort(status));
  line("cost", Cost(status));
  line("pressure", Pressure(status));
  return out;
}

// "OK  kvmsentryd 0.1.0 on n1, kernel 6.1.0"
std::string Header(const v1::GetStatusResponse& status, Health health, const Style& style) {
  const auto& [name, paint] = kHealths[static_cast<size_t>(health)];
  const std::string where =
      absl::StrCat(" on ", status.host().node(), ", kernel ", status.kernel_release());
  const std::string title = absl::StrCat("kvmsentryd ", status.version());
  const size_t taken = WidthOf(name) + 2 + WidthOf(title);
  return absl::StrCat(style(paint, name), "  ", style(Paint::kBold, title),
                      style(Paint::kPlain, CutTo(where, 80 - std::min<size_t>(taken, 80))), "\n");
}

std::string Summary(const v1::GetStatusResponse& status, const std::vector<Finding>& findings,
                    bool whole, const Style& style, absl::Time now, absl::TimeZone zone) {
  std::string out =
      absl::StrCat(Header(status, HealthOf(findings), style), Facts(status, style, now, zone));
  if (findings.empty()) return out;
  out.push_back('\n');
  if (whole) return out + AllFindings(findings, style);
  const auto lines = static_cast<size_t>(std::ranges::count(out, '\n'));
  return out + FindingsText(findings, kMostLines - std::min(lines, kMostLines - 4), style);
}

}  // namespace

std::string FormatStatus(const v1::GetStatusResponse& status, const StatusParts& parts,
                         const Style& style, absl::Time now, absl::TimeZone zone) {
  const std::vector<Finding> findings = FindingsOf(status, now);
  if (!parts.any()) return Summary(status, findings, parts.wide, style, now, zone);
  std::string out = Header(status, HealthOf(findings), style);
  if (parts.hooks) absl::StrAppend(&out, "\n", HooksTable(status, style));
  if (parts.specs) absl::StrAppend(&out, "\n", SpecsTable(status, style));
  if (parts.losses) {
    absl::StrAppend(&out, "\n", LossesTable(status, style), "\n", LimitsText(status, style),
                    ClientsText(status.access(), style));
  }
  return out;
}

}  // namespace kvmsentry
