#include "sensor/engine/watched_vm.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace kvmsentry {
WatchedVm::WatchedVm(Layouts& layouts, const VmFacts& facts)
    : facts_(facts), self_(layouts.For(facts, {}, "")) {}

void WatchedVm::SetFacts(Layouts& layouts, const VmFacts& facts, const UnchangedLogs& unchanged) {
  facts_ = facts;
  Relayout(layouts, false, unchanged);
}

void WatchedVm::SetLibrary(Layouts& layouts, const UnchangedLogs& unchanged) {
  Relayout(layouts, true, unchanged);
}

void WatchedVm::Relayout(Layouts& layouts, bool other_library, const UnchangedLogs& unchanged) {
  for (const auto& [source, of] : unchanged.sources()) CatchUp(unchanged, source);
  const auto why = [&](const Watch& watch) {
    if (!other_library) return ClearedBy::kNotSelected;
    const Spec* now = layouts.library().Find(watch.spec().id);
    if (now == nullptr) return ClearedBy::kSpecRemoved;
    return *now == watch.spec() ? ClearedBy::kNotSelected : ClearedBy::kSpecChanged;
  };
  std::vector<Leaving> leaving = std::exchange(leaving_, {});
  const auto apply = [&](Subject& subject, PartId part, const std::string& name) {
    std::vector<Watch> left;
    for (Leaving& of : leaving) {
      if (of.part == name && of.by != ClearedBy::kPartGone) left.push_back(std::move(of.watch));
    }
    std::erase_if(leaving, [&](const Leaving& of) {
      return of.part == name && of.by != ClearedBy::kPartGone;
    });
    for (Watch& watch : subject.SetLayout(layouts.For(facts_, part, name), std::move(left))) {
      const ClearedBy by = why(watch);
      leaving_.push_back({std::move(watch), name, by});
    }
  };
  apply(self_, {}, "");
  for (auto& [id, part] : parts_) apply(part.subject, id, part.name);
  std::ranges::move(leaving, std::back_inserter(leaving_));
}

void WatchedVm::NamePart(Layouts& layouts, PartId part, std::string name,
                         const UnchangedLogs& unchanged) {
  if (part.kind == PartKind::kVm) return;
  const auto known = parts_.find(part);
  if (known != parts_.end() && known->second.name != name) {
    known->second.name = name;
    Relayout(layouts, false, unchanged);
  }
  // Of a part that nobody has observed yet, within reason.
  if (known == parts_.end() && names_.size() < kMostNames) names_[part] = std::move(name);
}

void WatchedVm::RemovePart(PartId part) {
  names_.erase(part);
  const auto known = parts_.find(part);
  if (known == parts_.end()) return;
  known->second.subject.EachFound([&](Watch& watch) {
    if (!watch.open()) return;
    watch.finding->left_with = known->second.subject.DetailOf(watch.spec().feature);
    leaving_.push_back({std::move(watch), known->second.name, ClearedBy::kPartGone});
  });
  parts_.erase(known);
  if (part.index != kOtherParts) --parts_told_apart_;
}

WatchedVm::Part& WatchedVm::PartFor(Layouts& layouts, PartId id, const EngineTuning& tuning) {
  auto known = parts_.find(id);
  if (known != parts_.end()) return known->second;
  if (parts_told_apart_ >= tuning.max_parts) {
    id.index = kOtherParts;
    known = parts_.find(id);
    if (known != parts_.end()) return known->second;
  } else {
    ++parts_told_apart_;
  }
  const auto named = names_.find(id);
  std::string name = named == names_.end() ? PartText(id) : std::move(named->second);
  if (named != names_.end()) names_.erase(named);
  Subject subject(layouts.For(facts_, id, name));
  return parts_.emplace(id, Part{std::move(subject), std::move(name)}).first->second;
}

Subject& WatchedVm::SubjectOf(Layouts& layouts, PartId id, KernelTime at,
                              const EngineTuning& tuning) {
  if (id.kind == PartKind::kVm) return self_;
  Subject& subject = PartFor(layouts, id, tuning).subject;
  IsOther(id, at);
  return subject;
}

bool WatchedVm::IsOther(PartId part, KernelTime at) {
  if (parts_.contains(part)) return false;
  active_ = true;
  others_.Begin(at);
  return true;
}

void WatchedVm::Take(Layouts& layouts, const Observation& observation, KernelTime at,
                     const EngineTuning& tuning, const UnchangedLogs& unchanged) {
  const Observation& o = observation;
  if (o.kind == ObservationKind::kCount) {
    TakeCount(layouts, {o.vm, o.part, o.feature, o.value, o.detail}, {o.time, at, o.lossy}, tuning,
              unchanged);
    return;
  }
  lossy_ = lossy_ || o.lossy;
  Subject& subject = SubjectOf(layouts, o.part, at, tuning);
  active_ |= o.kind == ObservationKind::kMember && o.member == nullptr
                 ? subject.TakeMember(o.feature, o.value, at)
                 : subject.Take(o, at, unchanged.Of(o.feature));
}

void WatchedVm::TakeCount(Layouts& layouts, const Count& count, const CountedAt& when,
                          const EngineTuning& tuning, const UnchangedLogs& unchanged) {
  lossy_ = lossy_ || when.lossy;
  const UnchangedLog* log = unchanged.Of(count.feature);
  const auto take = [&](Subject& subject, uint64_t value) {
    active_ |= subject.TakeCount(count.feature, {when.time, value, when.lossy}, count.detail,
                                 when.at, log);
  };
  if (count.part.kind == PartKind::kVm) return take(self_, count.value);
  Part& part = PartFor(layouts, count.part, tuning);
  if (!IsOther(count.part, when.at)) return take(part.subject, count.value);
  const auto sum = others_.Add(count.part, count.feature, count.value);
  if (sum) take(part.subject, *sum);
}

void WatchedVm::TakeGauge(Layouts& layouts, const Gauge& gauge, KernelTime at, bool lossy,
                          const EngineTuning& tuning) {
  lossy_ = lossy_ || lossy;
  Subject& subject = SubjectOf(layouts, gauge.part, at, tuning);
  active_ |= subject.TakeGauge(gauge.feature, gauge.value, gauge.given, at);
}

void WatchedVm::TakeUnchanged(const UnchangedLogs& unchanged, SourceId source, KernelTime time,
                              KernelTime at, bool lossy) {
  lossy_ = lossy_ || lossy;
  const UnchangedLogs::OfSource& of = unchanged.Of(source);
  const auto take = [&](Subject& subject) {
    if (!subject.awake()) return;
    active_ |= subject.TakeUnchanged(time, at, lossy, of.features, of.log);
  };
  take(self_);
  for (auto& [id, part] : parts_) take(part.subject);
}

void WatchedVm::CatchUp(const UnchangedLogs& unchanged, SourceId source) {
  const UnchangedLogs::OfSource& of = unchanged.Of(source);
  self_.CatchUp(of.features, of.log);
  for (auto& [id, part] : parts_) part.subject.CatchUp(of.features, of.log);
}

void WatchedVm::JoinLog(const UnchangedLogs& unchanged, SourceId source) {
  const UnchangedLogs::OfSource& of = unchanged.Of(source);
  self_.JoinLog(of.features, of.log);
  for (auto& [id, part] : parts_) part.subject.JoinLog(of.features, of.log);
}

}  // namespace kvmsentry
