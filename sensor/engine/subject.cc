#include "sensor/engine/subject.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace kvmsentry {
namespace {

RateWatch& RateOf(Watch& watch) { return *std::get_if<RateWatch>(&watch.state); }

bool Watches(const Watch& watch) { return watch.open() || watch.pending(); }

bool Has(const std::vector<bool>& features, FeatureId feature) {
  const auto at = static_cast<size_t>(feature);
  return at < features.size() && features[at];
}

}  // namespace

bool Subject::Apply(const Judgement& judgement, KernelTime at, Watch& watch) {
  if (judgement.verdict == Verdict::kUnknown) return false;
  if (judgement.verdict != Verdict::kDeviates && watch.finding == nullptr) return false;
  Finding& finding = Found(watch);
  Deviation& deviation = finding.deviation;
  const Patience& patience = watch.spec().patience;
  finding.judged.Add(judgement, !Watches(watch));
  switch (judgement.verdict) {
    case Verdict::kDeviates:
      deviation.See(at, judgement.excess, patience);
      return true;
    case Verdict::kNormal:
      deviation.SetNormal(at);
      break;
    case Verdict::kBetween:
      deviation.SetBetween(patience);
      break;
    case Verdict::kUnknown:
      break;
  }
  return false;
}

Finding& Subject::Found(Watch& watch) {
  if (watch.finding == nullptr) {
    watch.finding = std::make_unique<Finding>();
    const auto index = static_cast<uint32_t>(&watch - watches_.data());
    found_.insert(std::ranges::lower_bound(found_, index), index);
  }
  return *watch.finding;
}

Subject::Subject(std::shared_ptr<const Layout> layout) { SetLayout(std::move(layout)); }

std::vector<Watch> Subject::SetLayout(std::shared_ptr<const Layout> layout,
                                      std::vector<Watch> left) {
  for (size_t i = 0; i < rates_.size(); ++i) GiveHeld(layout_->rates()[i], rates_[i]);
  const auto old = std::exchange(layout_, std::move(layout));
  const std::vector<HeldCounts> held = std::exchange(rates_, {});
  std::vector<Watch> before = std::exchange(watches_, {});
  std::ranges::move(left, std::back_inserter(before));
  watches_.reserve(layout_->specs().size());  // a thousand VMs have a hundred each
  rates_.reserve(layout_->rates().size());
  for (const auto& spec : layout_->specs()) {
    const auto known = std::ranges::find_if(
        before, [&spec](const Watch& w) { return w.of == spec || w.spec() == *spec->spec; });
    if (known == before.end()) {
      watches_.emplace_back(spec);
      continue;
    }
    watches_.push_back(std::move(*known));
    watches_.back().of = spec;
    before.erase(known);
  }
  found_.clear();
  for (uint32_t i = 0; i < watches_.size(); ++i) {
    if (watches_[i].finding != nullptr) found_.push_back(i);
  }
  for (const Group& group : layout_->rates()) {
    HeldCounts& rate = rates_.emplace_back();
    if (old == nullptr || old->GroupOf(group.feature) == nullptr) continue;
    rate = held[old->RateOf(group.feature)];
    rate.awake = true;  // until its next count, which finds out
  }
  awake_ = true;
  for (Watch& watch : before) {
    const Group* group = old->GroupOf(watch.spec().feature);
    if (group == nullptr || group->kind != FeatureKind::kRate) continue;  // it left earlier
    const HeldCounts& rate = held[old->RateOf(group->feature)];
    if (rate.has_detail && watch.open()) watch.finding->left_with = rate.detail;
  }
  std::erase_if(before, [](const Watch& watch) { return !watch.open(); });
  return before;
}

bool Subject::Take(const Observation& observation, KernelTime at, const UnchangedLog* log) {
  const Group* group = layout_->GroupOf(observation.feature);
  if (group == nullptr) return false;
  switch (observation.kind) {
    case ObservationKind::kCount:
      break;
    case ObservationKind::kCrossed:
      return group->kind == FeatureKind::kRate && TakeCrossed(*group, observation, at, log);
    case ObservationKind::kMember:
      return group->kind == FeatureKind::kSet && observation.member != nullptr &&
             TakeWide(*group, *observation.member, at);
    case ObservationKind::kState:
      return group->kind == FeatureKind::kState && TakeState(*group, observation.value, at);
  }
  return false;
}

bool Subject::TakeGauge(FeatureId feature, uint64_t value, uint64_t given, KernelTime at) {
  const Group* group = layout_->GroupOf(feature);
  if (group == nullptr) return false;
  if (group->kind == FeatureKind::kLevel) return TakeLevel(*group, value, given, at);
  return group->kind == FeatureKind::kState && TakeState(*group, value, at);
}

bool Subject::TakeCount(FeatureId feature, const CountSeen& count, std::optional<uint64_t> detail,
                        KernelTime at, const UnchangedLog* log) {
  const Group* of = layout_->GroupOf(feature);
  if (of == nullptr || of->kind != FeatureKind::kRate) return false;
  const Group& group = *of;
  HeldCounts& held = rates_[layout_->RateOf(feature)];
  ReadLog(group, held, log);
  if (detail) {
    held.detail = *detail;
    held.has_detail = true;
  }
  if (!held.awake && count.time > held.latest_time && count.value >= held.latest_count &&
      count.value <= held.safe_until) {
    Hold(group, held, count.time, count.value);
    return false;
  }
  GiveHeld(group, held);
  return JudgeCount(group, held, count, at);
}

// All that a count may do, spec by spec.
bool Subject::JudgeCount(const Group& group, HeldCounts& held, const CountSeen& count,
                         KernelTime at) {
  bool deviates = false;
  for (Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    const Judgement judgement = RateOf(watch).OnCount(watch.of->limits, count, Watches(watch));
    deviates |= Apply(judgement, at, watch);
  }
  if (!held.begun || count.time > held.latest_time ||
      (count.time == held.latest_time && count.value > held.latest_count)) {
    held.latest_time = count.time;
    held.latest_count = count.value;
    held.begun = true;
  }
  FindSafe(group, held);
  return deviates;
}

bool Subject::TakeCrossed(const Group& group, const Observation& crossed, KernelTime at,
                          const UnchangedLog* log) {
  HeldCounts& held = rates_[layout_->RateOf(group.feature)];
  ReadLog(group, held, log);
  GiveHeld(group, held);
  if (crossed.detail) {
    held.detail = *crossed.detail;
    held.has_detail = true;
  }
  bool deviates = false;
  for (Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    deviates |= Apply(RateOf(watch).OnCrossed(watch.of->limits, crossed), at, watch);
  }
  if (deviates) held.awake = awake_ = true;
  return deviates;
}

void Subject::Hold(const Group& group, HeldCounts& held, KernelTime time, uint64_t count) {
  if (held.held == HeldCounts::kMost) GiveHeld(group, held);
  held.samples[held.held++] = {time, count};
  held.latest_time = time;
  held.latest_count = count;
}

void Subject::GiveHeld(const Group& group, HeldCounts& held) {
  if (held.held == 0) return;
  const auto samples = std::span(held.samples).first(std::exchange(held.held, uint8_t{0}));
  for (Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    for (const HeldCounts::Sample& sample : samples) {
      RateOf(watch).AddSafe(sample.time, sample.count);
    }
  }
  FindSafe(group, held);
}

void Subject::FindSafe(const Group& group, HeldCounts& held) {
  held.awake = group.minimum;
  held.safe_until = std::numeric_limits<uint64_t>::max();
  for (const Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    held.awake |= Watches(watch);
    const auto& most = watch.of->limits.most;
    if (!most) continue;
    const uint64_t oldest = std::get_if<RateWatch>(&watch.state)->OldestCount();
    const uint64_t safe = oldest > UINT64_MAX - *most ? UINT64_MAX : oldest + *most;
    held.safe_until = std::min(held.safe_until, safe);
  }
  awake_ |= held.awake;
}

void Subject::ReadLog(const Group& group, HeldCounts& held, const UnchangedLog* log) {
  if (log == nullptr) return;
  const uint64_t from = std::exchange(held.unchanged, log->end());
  if (!held.begun || from == held.unchanged) return;
  auto times = log->Since(from);
  while (!times.empty() && times.front() <= held.latest_time) times = times.subspan(1);
  // Where each count matters, TakeUnchanged has looked at each.
  if (times.empty() || held.awake) return;
  if (times.size() <= HeldCounts::kMost) {
    for (const KernelTime time : times) Hold(group, held, time, held.latest_count);
    return;
  }
  GiveHeld(group, held);
  for (Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    RateOf(watch).AddUnchanged(times, held.latest_count);
  }
  held.latest_time = times.back();
  FindSafe(group, held);
}

bool Subject::TakeUnchanged(KernelTime time, KernelTime at, bool lossy,
                            const std::vector<bool>& features, const UnchangedLog& log) {
  bool deviates = false;
  awake_ = false;
  for (size_t i = 0; i < rates_.size(); ++i) {
    const Group& group = layout_->rates()[i];
    HeldCounts& held = rates_[i];
    if (held.begun && held.awake && held.latest_time < time && Has(features, group.feature)) {
      GiveHeld(group, held);
      deviates |=
          JudgeCount(group, held, {.time = time, .value = held.latest_count, .lossy = lossy}, at);
      held.unchanged = log.end();
    }
    awake_ |= held.awake && held.begun;
  }
  return deviates;
}

void Subject::CatchUp(const std::vector<bool>& features, const UnchangedLog& log) {
  for (size_t i = 0; i < rates_.size(); ++i) {
    const Group& group = layout_->rates()[i];
    if (!Has(features, group.feature)) continue;
    ReadLog(group, rates_[i], &log);
  }
}

void Subject::JoinLog(const std::vector<bool>& features, const UnchangedLog& log) {
  for (size_t i = 0; i < rates_.size(); ++i) {
    if (!Has(features, layout_->rates()[i].feature)) continue;
    rates_[i].unchanged = log.end();
  }
}

bool Subject::TakeLevel(const Group& group, uint64_t level, uint64_t given, KernelTime at) {
  bool deviates = false;
  for (Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    std::get_if<LevelState>(&watch.state)->given = given;
    deviates |= Apply(JudgeLevel(watch.of->limits, level, given), at, watch);
  }
  return deviates;
}

std::optional<uint64_t> Subject::DetailOf(FeatureId feature) const {
  const Group* group = layout_->GroupOf(feature);
  if (group == nullptr || group->kind != FeatureKind::kRate) return std::nullopt;
  const HeldCounts& held = rates_[layout_->RateOf(feature)];
  return held.has_detail ? std::optional(held.detail) : std::nullopt;
}

}  // namespace kvmsentry
