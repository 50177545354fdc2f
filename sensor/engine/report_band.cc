#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

#include "sensor/base/thousands.h"
#include "sensor/engine/report.h"
#include "sensor/engine/report_text.h"
#include "sensor/engine/text.h"

namespace kvmsentry {
namespace {

constexpr size_t kContributionsInSummary = 3;

}  // namespace

AlertEvent ReportBand(const ScoreBand& band, const VmFacts& vm, const Step& step,
                      std::vector<Contribution> contributions) {
  std::ranges::sort(contributions, [](const Contribution& a, const Contribution& b) {
    return std::tie(b.millipoints, a.spec->id) < std::tie(a.millipoints, b.spec->id);
  });
  AlertEvent event = BeginReport(vm, step, band.opened_at());
  event.severity = band.band().severity;
  event.spec_id = std::string(kScoreBandId);
  event.value = static_cast<double>(step.score) / 1000;
  event.limit = static_cast<double>(band.band().from) / 1000;
  event.unit = "points";
  event.value_text = PointsText(step.score) + " points";
  event.norm_text = absl::StrCat("below ", PointsText(band.band().from), " points");
  event.count = band.count();
  event.why = "What a VM does outside its norms adds up: together it says more than each alone.";
  event.look_at = "the alerts of this VM that contribute";

  std::string from;
  for (size_t i = 0; i < contributions.size(); ++i) {
    const std::string points = PointsText(contributions[i].millipoints);
    event.evidence[contributions[i].spec->id] = points;
    if (i < kContributionsInSummary) {
      absl::StrAppend(&from, i == 0 ? ": " : ", ", contributions[i].spec->id, " ", points);
    }
  }
  if (contributions.size() > kContributionsInSummary) {
    absl::StrAppend(&from, " and ", contributions.size() - kContributionsInSummary, " more");
  }
  if (step.state != AlertState::kCleared) {
    event.summary =
        absl::StrCat(SubjectText(event), ": score ", event.value_text, ", ",
                     SeverityName(event.severity), " from ", PointsText(band.band().from), from);
  } else if (step.cleared_by == ClearedBy::kVmGone) {
    event.summary =
        absl::StrCat(EndText(event, step.cleared_by), "score was ", event.value_text, from);
  } else {
    event.summary = absl::StrCat(SubjectText(event), ": score back to ", event.value_text, " (",
                                 SeverityName(event.severity), " from ",
                                 PointsText(band.band().from), "); ", LastedText(event));
  }
  return event;
}

AlertEvent ReportOtherParts(const VmFacts& vm, const Step& step, KernelTime since, size_t most) {
  AlertEvent event = BeginReport(vm, step, since);
  event.severity = Severity::kNotice;
  event.spec_id = std::string(kOtherPartsId);
  event.limit = static_cast<double>(most);
  event.unit = "parts";
  event.value_text = absl::StrCat("more than ", WithThousands(most), " parts");
  event.norm_text = absl::StrCat("at most ", WithThousands(most), " parts");
  event.count = 1;
  event.why = "Parts beyond the maximum are counted together, so that one may hide behind another.";
  event.look_at = "whether the VM needs so many vCPUs, disks, queues, threads or processes";
  if (step.state == AlertState::kCleared) {
    event.summary = absl::StrCat(EndText(event, ClearedBy::kVmGone), "it had ", event.value_text);
  } else {
    event.summary = absl::StrCat(SubjectText(event), ": ", event.value_text,
                                 "; those beyond are counted together");
  }
  return event;
}

}  // namespace kvmsentry
