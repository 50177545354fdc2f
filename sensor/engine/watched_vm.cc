#include "sensor/engine/watched_vm.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sensor/source/catalogue.h"

namespace kvmsentry {

WatchedVm::WatchedVm(const std::vector<EngineSpec>& specs, const VmFacts& facts) : specs_(&specs) {
  SetFacts(facts);
}

void WatchedVm::SetFacts(const VmFacts& facts) {
  facts_ = facts;
  std::vector<Watch> before = std::exchange(watches_, {});
  std::ranges::move(std::exchange(leaving_, {}), std::back_inserter(before));
  for (const EngineSpec& spec : *specs_) {
    if (!spec.spec->select.Matches(facts_)) continue;
    const auto known = std::ranges::find(before, &spec, &Watch::of);
    if (known == before.end()) {
      watches_.emplace_back(spec);
    } else {
      watches_.push_back(std::move(*known));
      before.erase(known);
    }
  }
  for (Watch& watch : before) {
    if (watch.deviation.open()) leaving_.push_back(std::move(watch));
  }

  first_.clear();
  size_t next = 0;
  for (const Feature& feature : Catalogue()) {
    while (next < watches_.size() && watches_[next].spec().feature < feature.id) ++next;
    first_.push_back(next);
  }
  first_.push_back(watches_.size());
}

void WatchedVm::Take(const Observation& observation, KernelTime at) {
  lossy_ = lossy_ || observation.lossy;
  const auto feature = static_cast<size_t>(observation.feature);
  if (feature + 1 >= first_.size()) return;
  for (size_t i = first_[feature]; i < first_[feature + 1]; ++i) {
    Watch& watch = watches_[i];
    if (auto* rate = std::get_if<RateState>(&watch.state)) {
      TakeRate(watch, *rate, observation, at);
    } else {
      TakeMember(watch, std::get<MemberWatch>(watch.state), observation, at);
    }
  }
}

void WatchedVm::TakeRate(Watch& watch, RateState& rate, const Observation& observation,
                         KernelTime at) {
  const NormLimits& limits = watch.of->limits;
  Judgement judgement;
  if (observation.kind == ObservationKind::kCount) {
    judgement = rate.watch.OnCount(limits, observation, watch.deviation.open());
  } else if (observation.kind == ObservationKind::kCrossed) {
    judgement = rate.watch.OnCrossed(limits, observation);
  }
  if (observation.detail) rate.detail = observation.detail;
  if (judgement.verdict == Verdict::kUnknown) return;
  rate.latest = judgement;
  if (judgement.verdict == Verdict::kDeviates) {
    if (!watch.deviation.open()) rate.worst = rate.peak = {};
    if (judgement.excess > rate.worst.excess) rate.worst = judgement;
    if (judgement.excess > rate.peak.excess) rate.peak = judgement;
    watch.deviation.See(at, judgement.excess);
    active_ = true;
  } else if (judgement.verdict == Verdict::kNormal) {
    watch.deviation.SetNormal();
  }
}

void WatchedVm::TakeMember(Watch& watch, MemberWatch& set, const Observation& observation,
                           KernelTime at) {
  if (observation.kind != ObservationKind::kMember) return;
  const auto seen = set.OnMember(std::get<SetNorm>(watch.spec().norm), observation.value, at);
  if (seen == MemberWatch::Seen::kNormal) return;
  if (seen == MemberWatch::Seen::kNew) watch.deviation.AddNews();
  watch.deviation.See(at, static_cast<int64_t>(set.members().size()) * 1000);
  active_ = true;
}

void WatchedVm::Tell(KernelTime now, const EngineTuning& tuning, std::vector<AlertEvent>& events) {
  const bool lossy = std::exchange(lossy_, false);
  if (!active_ && leaving_.empty()) return;
  const size_t first_event = events.size();

  score_ = {};
  contributions_.clear();
  for (const Watch& watch : watches_) {
    const int64_t millipoints =
        watch.deviation.Millipoints(now, tuning.half_life_ns, watch.spec().weight);
    score_.millipoints += millipoints;
    if (millipoints > 0) contributions_.push_back({&watch.spec(), millipoints});
  }

  const Step step{.at = now, .score = score_.millipoints};
  for (Watch& watch : leaving_) {
    Step last = step;
    last.cleared_by = ClearedBy::kNotSelected;
    TellToEnd(watch, last, tuning, events);
  }
  leaving_.clear();
  for (Watch& watch : watches_) {
    if (removed_at_) {
      Step last = step;
      last.cleared_by = ClearedBy::kVmGone;
      TellToEnd(watch, last, tuning, events);
    } else {
      TellWatch(watch, step, tuning, events);
    }
    score_.open_alerts += watch.deviation.open() ? 1U : 0U;
  }
  TellBand(step, tuning, events);

  for (size_t i = first_event; i < events.size(); ++i) events[i].observation_lost = lossy;
  active_ = score_.open_alerts > 0 || score_.millipoints > 0;
}

void WatchedVm::TellWatch(Watch& watch, Step step, const EngineTuning& tuning,
                          std::vector<AlertEvent>& events) {
  auto* set = std::get_if<MemberWatch>(&watch.state);
  if (set != nullptr && set->Quiet(step.at, QuietTime(watch.spec()))) watch.deviation.SetNormal();
  const int32_t weight = watch.spec().weight;
  step.state = watch.deviation.Next(step.at, tuning.update_every_ns, tuning.half_life_ns, weight);
  if (step.state == AlertState::kNone) return;
  if (step.state == AlertState::kOpen) {
    watch.key = AlertKey(watch.spec().id, facts_);
    step.at = watch.deviation.opened_at();
  }
  step.contribution = watch.deviation.Millipoints(step.at, tuning.half_life_ns, weight);
  events.push_back(ReportWatch(watch, facts_, step));
  if (auto* rate = std::get_if<RateState>(&watch.state)) rate->peak = {};
  if (set != nullptr && step.state == AlertState::kCleared) set->Forget();
}

void WatchedVm::TellToEnd(Watch& watch, Step step, const EngineTuning& tuning,
                          std::vector<AlertEvent>& events) {
  if (!watch.deviation.open()) return;
  step.at = std::max(step.at, watch.deviation.opened_at());
  // What was not told yet is told open first; a deviation that is over needs no update.
  watch.deviation.SetNormal();
  TellWatch(watch, step, tuning, events);
  if (!watch.deviation.open()) return;
  watch.deviation.SetNormal();
  TellWatch(watch, step, tuning, events);
}

void WatchedVm::TellBand(Step step, const EngineTuning& tuning, std::vector<AlertEvent>& events) {
  const auto tell = [&] {
    if (step.state == AlertState::kNone) return;
    if (step.state == AlertState::kOpen) band_key_ = AlertKey(kScoreBandId, facts_);
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
