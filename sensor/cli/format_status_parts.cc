#include "sensor/cli/format_status_parts.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

#include "sensor/base/thousands.h"
#include "sensor/base/wrap.h"
#include "sensor/cli/table.h"
#include "sensor/cli/terminal.h"
#include "sensor/cli/words.h"

namespace kvmsentry {
namespace {

// Why hooks are not all that they should be: each reason once, by a number.
class Reasons {
 public:
  // "[1]"; empty where HOOK gives none.
  std::string Number(const v1::HookStatus& hook) {
    if (hook.reason().empty()) return "";
    size_t at = 0;
    while (at < reasons_.size() && reasons_[at].text != hook.reason()) ++at;
    if (at == reasons_.size()) reasons_.push_back({hook.reason(), {}});
    const bool lost = !Works(hook.coverage()) && hook.coverage() != v1::DEGRADED;
    if (lost && !hook.provides().empty()) reasons_[at].lost.push_back(hook.provides());
    return absl::StrCat("[", at + 1, "]");
  }

  std::string Text(const Style& style) const {
    std::string out;
    for (size_t i = 0; i < reasons_.size(); ++i) {
      const auto& [text, lost] = reasons_[i];
      Cell number{absl::StrCat("[", i + 1, "]"), Paint::kDim};
      const std::string whole =
          lost.empty() ? text : absl::StrCat(text, "; not seen: ", absl::StrJoin(lost, ", "));
      for (const std::string& line : WrapTo(whole, OutputWidth() - kNumberWidth, 10)) {
        absl::StrAppend(&out, Padded(style, number, kNumberWidth), style(Paint::kPlain, line),
                        "\n");
        number = {};
      }
    }
    return out.empty() ? "" : absl::StrCat("\n", out);
  }

 private:
  static constexpr size_t kNumberWidth = 5;
  struct Reason {
    std::string text;
    std::vector<std::string> lost;
  };
  std::vector<Reason> reasons_;
};

}  // namespace

std::string HooksTable(const v1::GetStatusResponse& status, const Style& style) {
  Table table({{"HOOK"}, {"COVERAGE"}, {"BY"}, {"NS", true}, {"COST", true}, {"WHY"}});
  Reasons reasons;
  for (const v1::HookStatus& hook : status.hooks()) {
    table.Add(
        {{hook.name()},
         {v1::Coverage_Name(hook.coverage()), PaintOf(hook.coverage())},
         {hook.variant().empty() ? "-" : hook.variant()},
         {hook.has_ns_per_run() ? absl::StrFormat("%.0f", hook.ns_per_run()) : "-"},
         {hook.has_cost_percent() ? absl::StrCat(ThreeDigits(hook.cost_percent()), "%") : "-"},
         {reasons.Number(hook)}});
  }
  return absl::StrCat(table.Render(style), reasons.Text(style));
}

std::string SpecsTable(const v1::GetStatusResponse& status, const Style& style) {
  Table table({{"SPEC"}, {"POINT"}, {"COVERAGE"}, {"REMARK"}});
  for (const v1::SpecStatus& spec : status.specs()) {
    table.Add({{spec.id()},
               {spec.point() == v1::POINT_UNSPECIFIED ? "-" : v1::Point_Name(spec.point())},
               {v1::Coverage_Name(spec.coverage()), PaintOf(spec.coverage())},
               {spec.reason()}});
  }
  return table.RenderWrapped(style, OutputWidth());
}

std::string LossesTable(const v1::GetStatusResponse& status, const Style& style) {
  Table lost({{"LOST"}, {"TIMES", true}, {"RECENT", true}, {"WHAT IT MEANS"}});
  std::vector<std::string> zeros;
  for (const v1::Loss& loss : status.losses()) {
    if (loss.count() == 0) {
      zeros.push_back(loss.reason());
    } else {
      lost.Add({{loss.reason(), Paint::kBoldRed},
                {WithThousands(loss.count()), Paint::kBoldRed},
                {WithThousands(loss.recent())},
                {loss.meaning()}});
    }
  }
  const bool any = static_cast<int>(zeros.size()) < status.losses_size();
  std::string out =
      any ? lost.RenderWrapped(style, OutputWidth()) : style(Paint::kBold, "NOTHING LOST") + "\n";
  if (zeros.empty()) return out;
  Table never({{"NEVER LOST"}});
  never.Add({{absl::StrJoin(zeros, ", ")}});
  return absl::StrCat(out, never.RenderWrapped(style, OutputWidth()));
}

std::string LimitsText(const v1::GetStatusResponse& status, const Style& style) {
  const v1::Limits& limits = status.limits();
  const std::string& path = status.journal().path();
  return absl::StrCat(
      style(Paint::kBold, "LIMITS"), "\n", Counted(limits.max_vms(), "VM"), ", ",
      Counted(limits.max_vcpus(), "vCPU"), ", ", Counted(limits.max_subscribers(), "subscriber"),
      ", ", Counted(limits.alerts_kept(), "alert"), " kept,\na ring of ",
      Counted(limits.ring_bytes(), "byte"), "\n",
      path.empty() ? "" : absl::StrCat("journal: ", style(Paint::kPlain, path), "\n"));
}

std::string ClientsText(const v1::Access& access, const Style& style) {
  if (access.max_connections() == 0) return "";
  std::vector<std::string> refused;
  for (const auto& [reason, count] :
       std::map<std::string, uint64_t>(access.refused().begin(), access.refused().end())) {
    refused.push_back(absl::StrCat(reason, " ", WithThousands(count)));
  }
  return absl::StrCat(
      "\n", style(Paint::kBold, "CLIENTS"), "\n", Counted(access.connections(), "connection"),
      " of ", WithThousands(access.max_connections()), " at most; refused: ",
      refused.empty() ? "none" : style(Paint::kPlain, absl::StrJoin(refused, ", ")), "\n");
}

}  // namespace kvmsentry
