#include "sensor/engine/report.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

#include "sensor/base/thousands.h"
#include "sensor/engine/text.h"
#include "sensor/source/catalogue.h"

namespace kvmsentry {
namespace {

constexpr size_t kMembersShown = 8;
constexpr size_t kContributionsInSummary = 3;

AlertEvent Begin(const VmFacts& vm, const Step& step, KernelTime opened_at) {
  AlertEvent event;
  event.state = step.state;
  event.vm = vm;
  event.at = step.at;
  event.opened_at = opened_at;
  event.score_millipoints = step.score;
  event.contribution_millipoints = step.contribution;
  return event;
}

std::string VmText(const VmFacts& vm) { return absl::StrCat("VM \"", vm.name, "\""); }

std::string After(const AlertEvent& event) {
  return absl::StrCat(" after ", DurationText(event.at - event.opened_at));
}

// What is between the VM's name and the state it was in, where the norm has not come back.
std::string EndText(const AlertEvent& event, ClearedBy by) {
  return absl::StrCat(by == ClearedBy::kVmGone ? " is gone" : " is no longer selected by the spec",
                      After(event), "; ");
}

// OCCURRENCES of a rate as "28,340 port accesses/s" or, with no noun, "28,340/s"; of a burst as
// "1,501 port accesses in 10ms".
std::string AmountText(const Watch& watch, uint64_t occurrences, absl::string_view noun) {
  const int64_t window_ns = watch.of->limits.window_ns;
  const std::string space = noun.empty() ? "" : " ";
  if (std::holds_alternative<BurstNorm>(watch.spec().norm)) {
    return absl::StrCat(WithThousands(occurrences), space, noun, " in ", DurationText(window_ns));
  }
  return absl::StrCat(PerSecond(occurrences, window_ns), space, noun, "/s");
}

void FillRate(const Watch& watch, const RateState& rate, const Step& step, AlertEvent& event) {
  const Feature& feature = FeatureOf(watch.spec().feature);
  // What came and went between two Ticks is told by its worst, not by what is left of it.
  const bool peaked = step.state != AlertState::kCleared && rate.peak.verdict == Verdict::kDeviates;
  event.window_ns = watch.of->limits.window_ns;
  event.occurrences = peaked ? rate.peak.occurrences : rate.latest.occurrences;
  if (const auto* range = std::get_if<RangeNorm>(&watch.spec().norm)) {
    event.value = static_cast<double>(event.occurrences) * static_cast<double>(kNsPerSecond) /
                  static_cast<double>(event.window_ns);
    event.limit = (rate.worst.bound == Bound::kMost ? range->max : range->min).value_or(0);
    event.unit = std::string(feature.unit);
  } else if (const auto* burst = std::get_if<BurstNorm>(&watch.spec().norm)) {
    event.value = static_cast<double>(event.occurrences);
    event.limit = static_cast<double>(burst->count);
    event.unit = "1";
  }
  event.value_text = AmountText(watch, event.occurrences, "");
  const std::string worst = AmountText(watch, rate.worst.occurrences, "");
  if (worst != event.value_text) event.evidence["worst"] = worst;
  std::string last;
  if (rate.detail && feature.member != nullptr) {
    last = MemberText(*feature.member, *rate.detail);
    event.evidence[absl::StrCat("last_", feature.member->key)] = last;
  }

  const std::string vm = VmText(event.vm);
  if (step.state != AlertState::kCleared) {
    event.summary =
        absl::StrCat(vm, ": ", AmountText(watch, event.occurrences, feature.noun), ", norm ",
                     event.norm_text, worst == event.value_text ? "" : "; at worst " + worst);
    if (!last.empty()) absl::StrAppend(&event.summary, "; last ", last);
  } else if (step.cleared_by == ClearedBy::kNorm) {
    event.summary = absl::StrCat(vm, ": ", feature.noun, " back to ", event.value_text, " (norm ",
                                 event.norm_text, ")", After(event));
  } else {
    event.summary = absl::StrCat(vm, EndText(event, step.cleared_by), feature.noun, " were at ",
                                 worst, " at worst (norm ", event.norm_text, ")");
  }
}

std::string FirstMembers(const MemberKind& kind, const MemberWatch& set) {
  std::string text;
  for (const uint64_t member : set.members().first(std::min(set.members().size(), kMembersShown))) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", MemberText(kind, member));
  }
  return text;
}

void FillSet(const Watch& watch, const MemberWatch& set, const Step& step, AlertEvent& event) {
  const Feature& feature = FeatureOf(watch.spec().feature);
  const std::string vm = VmText(event.vm);
  event.window_ns = watch.spec().window_ns;
  event.occurrences = event.count;
  event.unit = std::string(feature.unit);
  if (!set.members().empty()) {
    event.value = static_cast<double>(set.members().back());
    event.value_text = MemberText(*feature.member, set.members().back());
  }
  event.evidence["members"] = FirstMembers(*feature.member, set);
  if (set.members().size() > kMembersShown) {
    event.evidence["more_members"] = absl::StrCat(set.members().size() - kMembersShown);
  }
  if (set.beyond() > 0) {
    event.evidence["further_sightings"] = WithThousands(set.beyond());
  }

  std::string members = event.value_text;
  if (set.members().size() > 1) {
    absl::StrAppend(&members, " and ", set.beyond() > 0 ? "at least " : "",
                    set.members().size() - 1, " more");
  }
  if (step.state != AlertState::kCleared) {
    event.summary = absl::StrCat(vm, ": ", feature.noun, " outside the norm: ", members, "; norm ",
                                 event.norm_text);
  } else if (step.cleared_by == ClearedBy::kNorm) {
    event.summary = absl::StrCat(vm, ": no ", feature.noun, " outside the norm for ",
                                 DurationText(QuietTime(watch.spec())), " (norm ", event.norm_text,
                                 ")", After(event));
  } else {
    event.summary =
        absl::StrCat(vm, EndText(event, step.cleared_by), feature.noun,
                     " were outside the norm: ", members, " (norm ", event.norm_text, ")");
  }
}

}  // namespace

std::string AlertKey(absl::string_view spec_id, const VmFacts& vm) {
  // Names are unique among the VMs that live; a uuid alone can be given twice.
  return absl::StrCat(spec_id, "/", vm.name, vm.uuid.empty() ? "" : "/", vm.uuid);
}

AlertEvent ReportWatch(const Watch& watch, const VmFacts& vm, const Step& step) {
  const Spec& spec = watch.spec();
  AlertEvent event = Begin(vm, step, watch.deviation.opened_at());
  event.key = watch.key;
  event.severity = spec.severity;
  event.point = spec.point;
  event.spec_id = spec.id;
  event.feature = std::string(FeatureOf(spec.feature).name);
  event.norm_text = spec.norm_text;
  event.count = watch.deviation.count();
  event.why = spec.why;
  event.look_at = spec.look_at;
  if (const auto* rate = std::get_if<RateState>(&watch.state)) {
    FillRate(watch, *rate, step, event);
  } else {
    FillSet(watch, std::get<MemberWatch>(watch.state), step, event);
  }
  return event;
}

AlertEvent ReportBand(const ScoreBand& band, const VmFacts& vm, const Step& step,
                      std::vector<Contribution> contributions) {
  std::ranges::sort(contributions, [](const Contribution& a, const Contribution& b) {
    return std::tie(b.millipoints, a.spec->id) < std::tie(a.millipoints, b.spec->id);
  });
  AlertEvent event = Begin(vm, step, band.opened_at());
  event.key = AlertKey(kScoreBandId, vm);
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
        absl::StrCat(VmText(vm), ": score ", event.value_text, ", ", SeverityName(event.severity),
                     " from ", PointsText(band.band().from), from);
  } else if (step.cleared_by == ClearedBy::kVmGone) {
    event.summary = absl::StrCat(VmText(vm), EndText(event, step.cleared_by), "score was ",
                                 event.value_text, from);
  } else {
    event.summary = absl::StrCat(VmText(vm), ": score back to ", event.value_text, " (norm ",
                                 event.norm_text, ")", After(event));
  }
  return event;
}

}  // namespace kvmsentry
