// What a VM's watches come to at a tick: its score, and the steps of its alerts.
#include <algorithm>
#include <string>
#include <utility>

#include "sensor/engine/watched_vm.h"

namespace kvmsentry {
namespace {

const std::string kWholeVm;  // NOLINT(cert-err58-cpp): empty, it cannot throw

// What a deviation adds to the VM's score.
int32_t WeightOf(const Spec& spec) { return spec.observe_only ? 0 : spec.weight; }

}  // namespace

// Of a spec that deviates on several parts, the worst counts.
void WatchedVm::CountScore(KernelTime now, const EngineTuning& tuning) {
  score_ = {};
  contributions_.clear();
  pending_ = false;
  const auto add = [&](const Subject& subject, bool of_parts) {
    subject.EachFound([&](const Watch& watch) {
      pending_ |= watch.pending();
      const int64_t millipoints =
          watch.finding->deviation.Millipoints(now, tuning.half_life_ns, WeightOf(watch.spec()));
      if (millipoints <= 0) return;
      const auto same = of_parts ? std::ranges::find_if(contributions_,
                                                        [&](const Contribution& c) {
                                                          return c.spec->id == watch.spec().id;
                                                        })
                                 : contributions_.end();
      if (same == contributions_.end()) {
        contributions_.push_back({&watch.spec(), millipoints});
      } else {
        same->millipoints = std::max(same->millipoints, millipoints);
      }
    });
  };
  add(self_, false);
  for (const auto& [id, part] : parts_) add(part.subject, true);
  for (const Contribution& c : contributions_) score_.millipoints += c.millipoints;
}

void WatchedVm::Tell(KernelTime now, const EngineTuning& tuning, std::vector<AlertEvent>& events) {
  const bool lossy = std::exchange(lossy_, false);
  if (!active_ && leaving_.empty() && !(removed_at_ && !others_.key.empty())) return;
  const size_t first_event = events.size();
  observing_ = false;

  OpenStates(now);
  CountScore(now, tuning);
  const Step step{.at = now, .score = score_.millipoints};
  for (Leaving& left : leaving_) {
    Step last = step;
    last.cleared_by = left.by;
    TellToEnd(left.watch, {.part = left.part}, last, tuning, events);
  }
  leaving_.clear();
  TellSubject(self_, kWholeVm, step, tuning, events);
  for (auto& [id, part] : parts_) TellSubject(part.subject, part.name, step, tuning, events);
  TellOtherParts(step, tuning, events);
  TellBand(step, tuning, events);

  for (size_t i = first_event; i < events.size(); ++i) events[i].observation_lost = lossy;
  active_ = score_.open_alerts > 0 || score_.millipoints > 0 || pending_ || observing_;
}

// A state lasts until another is entered, whether or not it is observed again.
void WatchedVm::OpenStates(KernelTime now) {
  const auto open = [now](Subject& subject) {
    subject.EachFound([now](Watch& watch) {
      if (!watch.pending() || !std::holds_alternative<StateWatch>(watch.state)) return;
      Deviation& deviation = watch.finding->deviation;
      const int64_t for_ns = watch.spec().patience.for_ns;
      if (now - deviation.began_at() < for_ns) return;
      deviation.See(deviation.began_at() + for_ns, 1000, watch.spec().patience);
    });
  };
  open(self_);
  for (auto& [id, part] : parts_) open(part.subject);
}

void WatchedVm::TellSubject(Subject& subject, const std::string& part, const Step& step,
                            const EngineTuning& tuning, std::vector<AlertEvent>& events) {
  subject.EachFound([&](Watch& watch) {
    const Of of{.part = part, .subject = &subject};
    if (removed_at_) {
      Step last = step;
      last.cleared_by = ClearedBy::kVmGone;
      TellToEnd(watch, of, last, tuning, events);
    } else {
      TellWatch(watch, of, step, tuning, events);
    }
    if (!watch.open()) return;
    const bool observed = watch.spec().observe_only;
    score_.open_alerts += observed ? 0U : 1U;
    observing_ |= observed;
  });
}

void WatchedVm::TellWatch(Watch& watch, const Of& of, Step step, const EngineTuning& tuning,
                          std::vector<AlertEvent>& events) {
  Finding& finding = *watch.finding;
  auto* set = std::get_if<MemberWatch>(&watch.state);
  auto* variety = std::get_if<VarietyWatch>(&watch.state);
  const int64_t quiet_ns = QuietTime(watch.spec());
  if ((set != nullptr && set->Quiet(step.at, quiet_ns)) ||
      (variety != nullptr && variety->Quiet(step.at, quiet_ns))) {
    finding.deviation.SetNormal(step.at);
    if (variety != nullptr) variety->Forget(step.at - watch.spec().window_ns);
  }
  const int32_t weight = WeightOf(watch.spec());
  step.state = finding.deviation.Next(step.at, tuning.update_every_ns, tuning.half_life_ns, weight,
                                      watch.spec().patience);
  const bool over = !watch.open() && !watch.pending();
  if (step.state == AlertState::kNone) {
    if (set != nullptr && over) set->Forget();
    return;
  }
  if (step.state == AlertState::kOpen) {
    finding.key = AlertKey(watch.spec().id, facts_, of.part);
    step.at = finding.deviation.opened_at();
  }
  step.contribution = finding.deviation.Millipoints(step.at, tuning.half_life_ns, weight);
  const auto detail =
      of.subject == nullptr ? finding.left_with : of.subject->DetailOf(watch.spec().feature);
  events.push_back(ReportWatch(watch, facts_, of.part, detail, step));
  finding.judged.peak = {};
  if (set != nullptr && over) set->Forget();
}

void WatchedVm::TellToEnd(Watch& watch, const Of& of, Step step, const EngineTuning& tuning,
                          std::vector<AlertEvent>& events) {
  if (!watch.open()) return;
  Deviation& deviation = watch.finding->deviation;
  step.at = std::max(step.at, deviation.opened_at());
  // What was not reported yet is reported as open first; a deviation that is over needs no update.
  for (int told = 0; told < 2 && watch.open(); ++told) {
    deviation.End();
    TellWatch(watch, of, step, tuning, events);
  }
}

void WatchedVm::TellOtherParts(const Step& step, const EngineTuning& tuning,
                               std::vector<AlertEvent>& events) {
  if (!others_.since) return;
  const auto tell = [&](AlertState state, KernelTime at) {
    Step now = step;
    now.state = state;
    now.at = at;
    if (state == AlertState::kOpen) others_.key = AlertKey(kOtherPartsId, facts_, "");
    events.push_back(ReportOtherParts(facts_, now, *others_.since, tuning.max_parts));
    events.back().key = others_.key;
  };
  if (others_.key.empty()) tell(AlertState::kOpen, *others_.since);
  if (removed_at_) tell(AlertState::kCleared, std::max(step.at, *others_.since));
  score_.open_alerts += removed_at_ ? 0U : 1U;
}

void WatchedVm::TellBand(Step step, const EngineTuning& tuning, std::vector<AlertEvent>& events) {
  const auto tell = [&] {
    if (step.state == AlertState::kNone) return;
    if (step.state == AlertState::kOpen) band_key_ = AlertKey(kScoreBandId, facts_, "");
    events.push_back(ReportBand(band_, facts_, step, contributions_));
    events.back().key = band_key_;
  };
  step.state = band_.Next(tuning.bands, step.score, step.at, tuning.update_every_ns);
  tell();
  if (removed_at_ && band_.open()) {
    step.state = AlertState::kCleared;
    step.cleared_by = ClearedBy::kVmGone;
    tell();
  }
  score_.open_alerts += band_.open() ? 1U : 0U;
}

}  // namespace kvmsentry
