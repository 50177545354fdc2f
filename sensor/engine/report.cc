#include "sensor/engine/report.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/thousands.h"
#include "sensor/engine/report_text.h"
#include "sensor/engine/text.h"
#include "sensor/source/catalogue.h"
#include "sensor/spec/norm_text.h"

namespace kvmsentry {
namespace {

constexpr size_t kMembersShown = 8;

// OCCURRENCES of a rate as "28,340 port accesses/s" or, with no noun, "28,340/s"; of a burst as
// "1,501 port accesses in 10ms"; of a level as "950 MiB".
std::string AmountText(const Watch& watch, uint64_t occurrences, absl::string_view noun) {
  const Feature& feature = FeatureOf(watch.spec().feature);
  if (feature.kind == FeatureKind::kLevel) return LevelText(feature, occurrences);
  const int64_t window_ns = watch.of->limits.window_ns;
  const std::string space = noun.empty() ? "" : " ";
  if (std::holds_alternative<BurstNorm>(watch.spec().norm)) {
    return absl::StrCat(WithThousands(occurrences), space, noun, " in ", DurationText(window_ns));
  }
  return absl::StrCat(PerSecond(occurrences, window_ns), space, noun, "/s");
}

// What the norm allows, in the value's unit.
double LimitOf(const Watch& watch, const Judgement& worst) {
  const NormLimits& limits = watch.of->limits;
  if (const auto* range = std::get_if<RangeNorm>(&watch.spec().norm)) {
    return (worst.bound == Bound::kMost ? range->max : range->min).value_or(0) * limits.times;
  }
  return static_cast<double>(limits.most.value_or(0));
}

double ValueOf(const Watch& watch, uint64_t amount) {
  const Feature& feature = FeatureOf(watch.spec().feature);
  if (feature.kind == FeatureKind::kLevel) {
    return static_cast<double>(amount) / static_cast<double>(feature.scale);
  }
  if (std::holds_alternative<BurstNorm>(watch.spec().norm)) return static_cast<double>(amount);
  return static_cast<double>(amount) * static_cast<double>(kNsPerSecond) /
         static_cast<double>(watch.of->limits.window_ns);
}

void FillAmount(const Watch& watch, std::optional<uint64_t> detail, const Step& step,
                AlertEvent& event) {
  const Judged& judged = watch.finding->judged;
  const Feature& feature = FeatureOf(watch.spec().feature);
  // What came and went between two Ticks is told by its worst, not by what is left of it.
  const bool peaked =
      step.state != AlertState::kCleared && judged.peak.verdict == Verdict::kDeviates;
  const bool is_burst = std::holds_alternative<BurstNorm>(watch.spec().norm);
  event.window_ns = watch.of->limits.window_ns;
  event.occurrences = peaked ? judged.peak.occurrences : judged.latest.occurrences;
  event.value = ValueOf(watch, event.occurrences);
  event.limit = LimitOf(watch, judged.worst);
  event.unit = is_burst ? "1" : std::string(feature.unit);
  event.value_text = AmountText(watch, event.occurrences, "");
  const std::string worst = AmountText(watch, judged.worst.occurrences, "");
  const bool too_few = judged.worst.bound == Bound::kLeast;
  const std::string extreme = too_few ? "lowest" : "peak";
  if (worst != event.value_text) event.evidence[extreme] = worst;
  std::string last;
  if (detail && feature.member != nullptr) {
    last = MemberText(*feature.member, *detail);
    event.evidence[absl::StrCat("last_", feature.member->key)] = last;
  }
  std::string limit = LimitText(event.norm_text);
  if (watch.spec().per_vcpu) {
    absl::StrAppend(&limit, ", for ", event.vm.vcpus, event.vm.vcpus == 1 ? " vCPU" : " vCPUs");
    event.evidence["vcpus"] = absl::StrCat(event.vm.vcpus);
  }
  if (const auto* level = std::get_if<LevelState>(&watch.state); level && level->given != 0) {
    event.evidence["given"] = LevelText(feature, level->given);
    absl::StrAppend(&limit, ", given ", event.evidence["given"]);
  }

  const bool is_level = feature.kind == FeatureKind::kLevel;
  const std::string subject = SubjectText(event);
  if (step.state != AlertState::kCleared) {
    event.summary = absl::StrCat(
        subject, ": ", is_level ? absl::StrCat(feature.noun, " ") : "",
        AmountText(watch, event.occurrences, is_level ? "" : feature.noun), ", ", limit,
        worst == event.value_text ? "" : absl::StrCat("; ", extreme, " ", worst));
    if (!last.empty()) absl::StrAppend(&event.summary, "; last ", last);
  } else if (step.cleared_by == ClearedBy::kNorm) {
    event.summary = absl::StrCat(subject, ": ", feature.noun, " back to ", event.value_text, " (",
                                 limit, "); ", LastedText(event));
  } else {
    event.summary = absl::StrCat(EndText(event, step.cleared_by), feature.noun,
                                 too_few ? " fell to " : " peaked at ", worst, " (", limit, ")");
  }
}

std::string FirstMembers(const MemberKind& kind, const MemberWatch& set) {
  std::string text;
  for (const Member& member : set.members().first(std::min(set.members().size(), kMembersShown))) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", MemberText(kind, member));
  }
  return text;
}

// "forbidden: port 0x3f5"; of a norm that lists what is allowed, that as well.
std::string DeviantText(const Watch& watch, const std::string& members, const AlertEvent& event) {
  if (!std::get<SetNorm>(watch.spec().norm).allow) return absl::StrCat("forbidden: ", members);
  return absl::StrCat("not allowed: ", members, "; ", event.norm_text);
}

void AddWhatIsKnown(const Member& member, AlertEvent& event) {
  if (!member.by.empty()) event.evidence["by"] = member.by;
  if (!member.how.empty()) event.evidence["how"] = member.how;
}

void FillMembers(const Watch& watch, const MemberWatch& set, const Step& step, AlertEvent& event) {
  const Feature& feature = FeatureOf(watch.spec().feature);
  event.window_ns = watch.spec().window_ns;
  event.occurrences = event.count;
  event.unit = std::string(feature.unit);
  if (!set.members().empty()) {
    event.value = static_cast<double>(set.members().back().first);
    event.value_text = MemberText(*feature.member, set.members().back());
    AddWhatIsKnown(set.members().back(), event);
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
  const std::string what = absl::StrCat(feature.noun, ", ", DeviantText(watch, members, event));
  if (step.state != AlertState::kCleared) {
    event.summary = absl::StrCat(SubjectText(event), ": ", what);
  } else if (step.cleared_by == ClearedBy::kNorm) {
    const bool allow = std::get<SetNorm>(watch.spec().norm).allow;
    event.summary = absl::StrCat(SubjectText(event), ": ",
                                 allow ? "only allowed " : "no forbidden ", feature.noun, " for ",
                                 DurationText(QuietTime(watch.spec())), "; ", LastedText(event));
  } else {
    event.summary = absl::StrCat(EndText(event, step.cleared_by), what);
  }
}

// Only that there are too many is known, not how many there are.
void FillVariety(const Watch& watch, const Step& step, AlertEvent& event) {
  const Feature& feature = FeatureOf(watch.spec().feature);
  const uint32_t most = std::get<VarietyNorm>(watch.spec().norm).most;
  event.window_ns = watch.spec().window_ns;
  event.occurrences = event.count;
  event.unit = std::string(feature.unit);
  event.value = static_cast<double>(most) + 1;
  event.limit = static_cast<double>(most);
  event.value_text = absl::StrCat("more than ", WithThousands(most));
  const std::string one = MemberText(*feature.member, *watch.finding->too_many);
  event.evidence["one_of_them"] = one;
  AddWhatIsKnown(*watch.finding->too_many, event);
  const std::string what = absl::StrCat("more than ", VarietyText(feature, most, event.window_ns));
  if (step.state != AlertState::kCleared) {
    event.summary = absl::StrCat(SubjectText(event), ": ", what, "; one of them ", one);
  } else if (step.cleared_by == ClearedBy::kNorm) {
    event.summary =
        absl::StrCat(SubjectText(event), ": ", event.norm_text, " again; ", LastedText(event));
  } else {
    event.summary = absl::StrCat(EndText(event, step.cleared_by), what);
  }
}

void FillState(const Watch& watch, const StateWatch& state, const Step& step, AlertEvent& event) {
  const Feature& feature = FeatureOf(watch.spec().feature);
  event.occurrences = event.count;
  event.unit = std::string(feature.unit);
  const bool back = step.state == AlertState::kCleared && step.cleared_by == ClearedBy::kNorm;
  const uint64_t shown = back ? state.state : state.deviant;
  event.value = static_cast<double>(shown);
  event.value_text = BareMemberText(*feature.member, shown);
  event.evidence["state"] = BareMemberText(*feature.member, state.state);
  const std::string what = absl::StrCat(
      feature.noun, " ", DeviantText(watch, BareMemberText(*feature.member, state.deviant), event));
  if (step.state != AlertState::kCleared) {
    event.summary = absl::StrCat(SubjectText(event), ": ", what);
  } else if (back) {
    event.summary = absl::StrCat(SubjectText(event), ": ", feature.noun, " ", event.value_text,
                                 " again (", what, "); ", LastedText(event));
  } else {
    event.summary = absl::StrCat(EndText(event, step.cleared_by), what);
  }
}

void MarkObserved(const Spec& spec, AlertEvent& event) {
  event.observe_only = true;
  event.severity = Severity::kInfo;
  event.evidence["would_alert_as"] = std::string(SeverityName(spec.severity));
  event.summary += "; observed only";
}

}  // namespace

std::string AlertKey(absl::string_view spec_id, const VmFacts& vm, absl::string_view part) {
  // Names are unique among the VMs that live; a uuid alone can be given twice.
  return absl::StrCat(spec_id, "/", vm.name, vm.uuid.empty() ? "" : "/", vm.uuid,
                      part.empty() ? "" : "/", part);
}

AlertEvent ReportWatch(const Watch& watch, const VmFacts& vm, const std::string& part,
                       std::optional<uint64_t> detail, const Step& step) {
  const Spec& spec = watch.spec();
  AlertEvent event = BeginReport(vm, step, watch.finding->deviation.opened_at());
  event.part = part;
  event.key = watch.finding->key;
  event.severity = spec.severity;
  event.point = spec.point;
  event.spec_id = spec.id;
  event.feature = std::string(FeatureOf(spec.feature).name);
  event.norm_text = spec.norm_text;
  event.count = watch.finding->deviation.count();
  event.why = spec.why;
  event.look_at = spec.look_at;
  if (const auto* set = std::get_if<MemberWatch>(&watch.state)) {
    FillMembers(watch, *set, step, event);
  } else if (std::holds_alternative<VarietyWatch>(watch.state)) {
    FillVariety(watch, step, event);
  } else if (const auto* state = std::get_if<StateWatch>(&watch.state)) {
    FillState(watch, *state, step, event);
  } else {
    FillAmount(watch, detail, step, event);
  }
  event.tags = spec.tags;
  event.mitre = spec.mitre;
  if (spec.observe_only) MarkObserved(spec, event);
  return event;
}

}  // namespace kvmsentry
