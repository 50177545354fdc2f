#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "sensor/base/thousands.h"
#include "sensor/cli/format.h"
#include "sensor/cli/table.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

std::string Percent(double percent) { return absl::StrFormat("%.3g%%", percent); }

std::string Cost(const v1::GetStatusResponse& status) {
  if (!status.cost_unknown().empty()) {
    return absl::StrCat("what its programs cost is not known: ", status.cost_unknown());
  }
  return absl::StrCat(status.has_cost_percent()
                          ? absl::StrCat("its programs take ", Percent(status.cost_percent()),
                                         " of the processors; ")
                          : "what its programs cost is not measured yet; ",
                      status.cost_budget_percent() > 0
                          ? absl::StrCat("budget ", Percent(status.cost_budget_percent()))
                          : "no budget");
}

std::string Header(const v1::GetStatusResponse& status, const Style& style, absl::Time now,
                   absl::TimeZone zone) {
  const absl::Time started = ToTime(status.started_at());
  const absl::Duration unobserved = ToDuration(status.unobserved());
  std::string out = absl::StrCat(style(Paint::kBold, absl::StrCat("kvmsentryd ", status.version())),
                                 " on ", style(Paint::kPlain, status.host().node()), ", kernel ",
                                 style(Paint::kPlain, status.kernel_release()), ", libbpf ",
                                 style(Paint::kPlain, status.libbpf_version()), "\n");
  absl::StrAppend(&out, "running since ", absl::FormatTime("%Y-%m-%d %H:%M:%S", started, zone),
                  " (", InSeconds(now - started), ")");
  if (unobserved > absl::ZeroDuration()) {
    absl::StrAppend(&out, "; before that, nobody watched for ", InSeconds(unobserved));
  }
  if (status.pins_recreated()) {
    absl::StrAppend(&out, "; counts of an earlier run were of another layout or size: removed");
  }
  absl::StrAppend(&out, "\n", Counted(status.vms_watched(), "VM"), " watched, ");
  absl::StrAppend(&out, style(status.vms_unwatched() > 0 ? Paint::kRed : Paint::kPlain,
                              absl::StrCat(status.vms_unwatched(), " not watched")));
  if (status.vms_hidden() > 0) {
    absl::StrAppend(&out, style(Paint::kRed, absl::StrCat(", ", status.vms_hidden(), " hidden")));
  }
  absl::StrAppend(&out, "; ", Counted(status.subscribers(), "subscriber"), "; ",
                  status.last_alert().sequence() == 0
                      ? "no alert yet"
                      : absl::StrCat("last alert ", ToText(status.last_alert())),
                  "\n");
  absl::StrAppend(&out, Cost(status), "\n");
  for (const std::string& fault : status.faults()) {
    absl::StrAppend(&out, style(Paint::kBoldRed, fault), "\n");
  }
  return out;
}

// What is lost is told only where something is.
std::string RemarkOf(const v1::HookStatus& hook) {
  if (hook.coverage() == v1::ACTIVE) return "";
  if (hook.coverage() == v1::DEGRADED || hook.provides().empty()) return hook.reason();
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

std::string FormatStatus(const v1::GetStatusResponse& status, const Style& style, absl::Time now,
                         absl::TimeZone zone) {
  return absl::StrCat(Header(status, style, now, zone), "\n", Hooks(status, style), "\n",
                      Specs(status, style), "\n",
                      absl::StrCat(Losses(status, style), "\n", Limits(status.limits(), style)));
}

}  // namespace kvmsentry
