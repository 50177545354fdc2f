// What becomes of members that were seen, and of states.
#include "sensor/engine/subject.h"

namespace kvmsentry {

// Counts MEMBER. True where there are too many different ones.
bool Subject::ApplyVariety(const Member& member, KernelTime at, uint32_t most, Watch& watch) {
  const Spec& spec = watch.spec();
  auto& variety = *std::get_if<VarietyWatch>(&watch.state);
  if (!variety.Add(member, at, most, spec.window_ns)) return false;
  Finding& finding = Found(watch);
  finding.too_many = member;
  finding.deviation.See(at, 1000, spec.patience);
  return true;
}

// The layout is shared: where a set is listed, a member that is normal touches nothing of this VM.
bool Subject::TakeMember(FeatureId feature, uint64_t member, KernelTime at) {
  const Group* group = layout_->GroupOf(feature);
  if (group == nullptr || group->kind != FeatureKind::kSet) return false;
  bool deviates = false;
  for (size_t i = group->first; i < group->first + group->count; ++i) {
    const Norm& norm = layout_->specs()[i]->spec->norm;
    if (const auto* variety = std::get_if<VarietyNorm>(&norm)) {
      deviates |= ApplyVariety({.first = member}, at, variety->most, watches_[i]);
    } else if (!std::get_if<SetNorm>(&norm)->IsNormal(member)) {
      deviates |= TakeDeviant({.first = member}, at, watches_[i]);
    }
  }
  return deviates;
}

bool Subject::TakeWide(const Group& group, const Member& member, KernelTime at) {
  bool deviates = false;
  for (Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    const Norm& norm = watch.spec().norm;
    if (const auto* variety = std::get_if<VarietyNorm>(&norm)) {
      deviates |= ApplyVariety(member, at, variety->most, watch);
    } else if (!std::get_if<SetNorm>(&norm)->IsNormal(member)) {
      deviates |= TakeDeviant(member, at, watch);
    }
  }
  return deviates;
}

bool Subject::TakeDeviant(const Member& member, KernelTime at, Watch& watch) {
  auto& set = *std::get_if<MemberWatch>(&watch.state);
  Deviation& deviation = Found(watch).deviation;
  if (set.OnDeviant(member, at)) deviation.AddNews();
  deviation.See(at, static_cast<int64_t>(set.members().size()) * 1000, watch.spec().patience);
  return true;
}

bool Subject::TakeState(const Group& group, uint64_t state, KernelTime at) {
  bool deviates = false;
  for (Watch& watch : std::span(watches_).subspan(group.first, group.count)) {
    auto& now = *std::get_if<StateWatch>(&watch.state);
    now.known = true;
    now.state = state;
    if (std::get_if<SetNorm>(&watch.spec().norm)->IsNormal(state)) {
      if (watch.finding != nullptr) watch.finding->deviation.SetNormal(at);
      continue;
    }
    Deviation& deviation = Found(watch).deviation;
    if (deviation.open() && now.deviant != state) deviation.AddNews();
    now.deviant = state;
    deviation.See(at, 1000, watch.spec().patience);
    deviates = true;
  }
  return deviates;
}

}  // namespace kvmsentry
