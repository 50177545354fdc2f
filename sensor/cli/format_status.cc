#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "sensor/base/escape.h"
#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/health.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

std::string Percent(double percent) { return absl::StrFormat("%.3g%%", percent); }

std::string Cost(const v1::GetStatusResponse& status) {
  if (!status.cost_unknown().empty()) return absl::StrCat("unknown: ", status.cost_unknown());
  return absl::StrCat(status.has_cost_percent()
                          ? absl::StrCat(Percent(status.cost_percent()), " of all CPUs")
                          : "not measured yet",
                      "; ",
                      status.cost_budget_percent() > 0
                          ? absl::StrCat("budget ", Percent(status.cost_budget_percent()))
                          : "no budget");
}

std::string Vms(const v1::GetStatusResponse& status, const Style& style) {
  std::string out = absl::StrCat(status.vms_watched(), " watched, ",
                                 style(status.vms_unwatched() > 0 ? Paint::kRed : Paint::kPlain,
                                       absl::StrCat(status.vms_unwatched(), " not watched")));
  if (status.vms_hidden() > 0) {
    absl::StrAppend(&out, ", ", style(Paint::kRed, absl::StrCat(status.vms_hidden(), " hidden")));
  }
  return out;
}

// Of the host's own, and nothing where its kernel tells none.
std::string Pressure(const v1::GetStatusResponse& status) {
  std::vector<std::string> parts;
  for (const v1::HostPressure& pressure : status.host_pressure()) {
    parts.push_back(
        absl::StrCat(EscapeAgain(pressure.of()), " ", Percent(pressure.some_percent())));
  }
  if (parts.empty()) return "";
  return absl::StrCat("pressure  ", absl::StrJoin(parts, ", "), " of the last 10 s\n");
}

template <typename Parts>
std::string Active(const Parts& parts) {
  const auto count = [&parts](v1::Coverage coverage) {
    return std::ranges::count_if(
        parts, [coverage](const auto& part) { return part.coverage() == coverage; });
  };
  const auto attached = count(v1::ATTACHED);
  return absl::StrCat(
      count(v1::ACTIVE), " of ", parts.size(), " active",
      attached == 0 ? "" : absl::StrCat(", ", attached, " attached, not fired yet"));
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

// Nothing of a daemon that does not know it.
std::string Library(const v1::SpecLibraryStatus& library, absl::TimeZone zone) {
  if (!library.has_loaded_at()) return "";
  std::string out = absl::StrCat("\nlibrary   ", library.shipped_specs(), " shipped, ",
                                 library.site_specs(), " site");
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

constexpr struct {
  absl::string_view name;
  Paint paint;
} kHealths[] = {{"OK", Paint::kGreen}, {"WARNING", Paint::kYellow}, {"CRITICAL", Paint::kBoldRed}};

std::string JournalText(const v1::Journal& journal) {
  if (journal.path().empty()) return "in memory only, lost by a restart; see --state-dir";
  constexpr double kMib = 1 << 20;
  return absl::StrFormat("%s, %.1f of %.0f MiB%s", journal.path(),
                         static_cast<double>(journal.bytes()) / kMib,
                         static_cast<double>(journal.max_bytes()) / kMib,
                         journal.problem().empty() ? "" : "; NOT WRITTEN");
}

std::string HealthText(Health health, const Style& style) {
  const auto& [name, paint] = kHealths[static_cast<size_t>(health)];
  return style(paint, name);
}

// As much as fits the width and the height of a terminal.
std::string Findings(const std::vector<Finding>& findings, const Style& style) {
  constexpr size_t kMost = 10;
  constexpr size_t kWidth = 80 - 10;
  std::string out;
  for (size_t i = 0; i < std::min(findings.size(), kMost); ++i) {
    std::string text = EscapeAgain(findings[i].text);
    if (text.size() > kWidth) text = absl::StrCat(text.substr(0, kWidth - 3), "...");
    const Health health = findings[i].health;
    const auto& [name, paint] = kHealths[static_cast<size_t>(health)];
    const Cell cell =
        health == Health::kOk ? Cell{"note", Paint::kDim} : Cell{std::string(name), paint};
    absl::StrAppend(&out, Padded(style, cell, 10, false), style(Paint::kPlain, text), "\n");
  }
  if (findings.size() > kMost) {
    absl::StrAppend(&out, findings.size() - kMost, " more: --hooks, --specs, --losses\n");
  }
  return out;
}

std::string Summary(const v1::GetStatusResponse& status, const Style& style, absl::Time now,
                    absl::TimeZone zone) {
  const std::vector<Finding> findings = FindingsOf(status, now);
  const absl::Time started = ToTime(status.started_at());
  const absl::Duration unobserved = ToDuration(status.unobserved());
  std::string out = absl::StrCat(HealthText(HealthOf(findings), style), "  ",
                                 style(Paint::kBold, absl::StrCat("kvmsentryd ", status.version())),
                                 " on ", style(Paint::kPlain, status.host().node()), ", kernel ",
                                 style(Paint::kPlain, status.kernel_release()), "\n", "running   ",
                                 InSeconds(now - started), ", since ",
                                 absl::FormatTime("%Y-%m-%d %H:%M:%S", started, zone));
  if (unobserved > absl::ZeroDuration()) {
    absl::StrAppend(&out, "; monitoring gap before: ", InSeconds(unobserved));
  }
  absl::StrAppend(&out, "\nVMs       ", Vms(status, style), "\nalerts    ",
                  status.last_alert().sequence() == 0
                      ? "none yet"
                      : absl::StrCat("last one ", ToText(status.last_alert())),
                  "; ", Counted(status.subscribers(), "subscriber"), "\njournal   ",
                  style(Paint::kPlain, JournalText(status.journal())), "\nhooks     ",
                  Active(status.hooks()), "\nspecs     ", Active(status.specs()),
                  Library(status.library(), zone), "\nlosses    ", LossesInShort(status),
                  "\ncost      ", style(Paint::kPlain, Cost(status)), "\n", Pressure(status));
  if (!findings.empty()) absl::StrAppend(&out, "\n", Findings(findings, style));
  return out;
}

// What is lost is said only where something is.
std::string RemarkOf(const v1::HookStatus& hook) {
  if (Works(hook.coverage()) || hook.coverage() == v1::DEGRADED || hook.provides().empty())
    return hook.reason();
  return absl::StrCat(hook.reason(), "; lost: ", hook.provides());
}

std::string Hooks(const v1::GetStatusResponse& status, const Style& style) {
  Table table({{"HOOK"}, {"COVERAGE"}, {"BY"}, {"NS", true}, {"COST", true}, {"REMARK"}});
  for (const v1::HookStatus& hook : status.hooks()) {
    table.Add({{hook.name()},
               {v1::Coverage_Name(hook.coverage()), PaintOf(hook.coverage())},
               {hook.variant().empty() ? "-" : hook.variant()},
               {hook.has_ns_per_run() ? absl::StrFormat("%.0f", hook.ns_per_run()) : "-"},
               {hook.has_cost_percent() ? Percent(hook.cost_percent()) : "-"},
               {RemarkOf(hook)}});
  }
  return table.Render(style);
}

std::string Specs(const v1::GetStatusResponse& status, const Style& style) {
  Table table({{"SPEC"}, {"COVERAGE"}, {"REMARK"}});
  for (const v1::SpecStatus& spec : status.specs()) {
    table.Add({{spec.id()},
               {v1::Coverage_Name(spec.coverage()), PaintOf(spec.coverage())},
               {spec.reason()}});
  }
  return table.Render(style);
}

std::string Losses(const v1::GetStatusResponse& status, const Style& style) {
  Table lost({{"LOST"}, {"TIMES", true}, {"WHAT IT MEANS"}});
  std::vector<std::string> zeros;
  for (const v1::Loss& loss : status.losses()) {
    if (loss.count() == 0) {
      zeros.push_back(loss.reason());
    } else {
      lost.Add({{loss.reason(), Paint::kBoldRed},
                {WithThousands(loss.count()), Paint::kBoldRed},
                {loss.meaning()}});
    }
  }
  const bool any = static_cast<int>(zeros.size()) < status.losses_size();
  std::string out = any ? lost.Render(style) : style(Paint::kBold, "NOTHING LOST") + "\n";
  if (!zeros.empty()) {
    absl::StrAppend(&out, "never: ", style(Paint::kPlain, absl::StrJoin(zeros, ", ")), "\n");
  }
  return out;
}

std::string Limits(const v1::Limits& limits, const Style& style) {
  return absl::StrCat(style(Paint::kBold, "LIMITS"), "\n", Counted(limits.max_vms(), "VM"), ", ",
                      Counted(limits.max_vcpus(), "vCPU"), ", ",
                      Counted(limits.max_subscribers(), "subscriber"), ", ",
                      Counted(limits.alerts_kept(), "alert"), " kept, a ring of ",
                      Counted(limits.ring_bytes(), "byte"), "\n");
}

}  // namespace

std::string FormatStatus(const v1::GetStatusResponse& status, const StatusParts& parts,
                         const Style& style, absl::Time now, absl::TimeZone zone) {
  std::string out = Summary(status, style, now, zone);
  if (parts.hooks) absl::StrAppend(&out, "\n", Hooks(status, style));
  if (parts.specs) absl::StrAppend(&out, "\n", Specs(status, style));
  if (parts.losses) {
    absl::StrAppend(&out, "\n", Losses(status, style), "\n", Limits(status.limits(), style));
  }
  return out;
}

}  // namespace kvmsentry
