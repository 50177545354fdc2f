#include "sensor/daemon/seen_members.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "sensor/source/catalogue.h"

namespace kvmsentry {

SeenMember* SeenSet::Find(const Observation& seen) {
  const auto in = [this](const auto& places, const auto& key) -> SeenMember* {
    const auto known = places.find(key);
    if (known == places.end()) return nullptr;
    return &(*chunks_[known->second / kChunk])[known->second % kChunk];
  };
  return seen.member == nullptr ? in(by_value_, seen.value) : in(by_member_, *seen.member);
}

void SeenSet::Note(const Observation& seen) {
  if (SeenMember* const known = Find(seen)) {
    known->last_ns.store(seen.time.ns, std::memory_order_relaxed);
    return;
  }
  const uint32_t count = count_.load(std::memory_order_relaxed);
  if (count == kMost) {
    beyond_.store(beyond() + 1, std::memory_order_relaxed);
    return;
  }
  std::unique_ptr<Chunk>& chunk = chunks_[count / kChunk];
  if (chunk == nullptr) chunk = std::make_unique<Chunk>();
  SeenMember& member = (*chunk)[count % kChunk];
  member.value = seen.value;
  member.wide = seen.member;
  member.first = seen.time;
  member.last_ns.store(seen.time.ns, std::memory_order_relaxed);
  if (seen.member == nullptr) {
    by_value_.emplace(seen.value, count);
  } else {
    by_member_.emplace(*seen.member, count);
  }
  count_.store(count + 1, std::memory_order_release);  // last: now it may be read
}

std::span<const FeatureId> SetFeatures() {
  static const auto* const kSets = [] {
    auto* sets = new std::vector<FeatureId>;
    for (const Feature& feature : Catalogue()) {
      if (feature.kind == FeatureKind::kSet) sets->push_back(feature.id);
    }
    return sets;
  }();
  return *kSets;
}

namespace {

// The place of FEATURE among all sets; their number where it is none.
size_t PlaceOf(FeatureId feature) {
  const std::span<const FeatureId> sets = SetFeatures();
  const auto found = std::ranges::lower_bound(sets, feature);
  const bool is_set = found != sets.end() && *found == feature;
  return is_set ? static_cast<size_t>(found - sets.begin()) : sets.size();
}

}  // namespace

SeenMembers::SeenMembers()
    : sets_(std::make_unique<std::atomic<SeenSet*>[]>(SetFeatures().size())) {}

SeenMembers::~SeenMembers() {
  for (size_t i = 0; i < SetFeatures().size(); ++i) delete sets_[i].load();
}

void SeenMembers::Note(const Observation& seen) {
  const size_t place = PlaceOf(seen.feature);
  if (place == SetFeatures().size()) return;
  SeenSet* set = sets_[place].load(std::memory_order_relaxed);
  if (set == nullptr) {
    set = new SeenSet;
    sets_[place].store(set, std::memory_order_release);
  }
  set->Note(seen);
}

const SeenSet* SeenMembers::Of(FeatureId feature) const {
  const size_t place = PlaceOf(feature);
  return place == SetFeatures().size() ? nullptr : sets_[place].load(std::memory_order_acquire);
}

void MemberBook::Note(const Observation& seen) {
  if (latest_members_ == nullptr || latest_ != seen.vm) {
    std::shared_ptr<SeenMembers>& members = vms_[seen.vm];
    if (members == nullptr) members = std::make_shared<SeenMembers>();
    latest_ = seen.vm;
    latest_members_ = members.get();
  }
  latest_members_->Note(seen);
}

void MemberBook::Remove(VmId vm) {
  vms_.erase(vm);
  latest_members_ = nullptr;
}

std::shared_ptr<const SeenMembers> MemberBook::Of(VmId vm) const {
  const auto found = vms_.find(vm);
  return found == vms_.end() ? nullptr : found->second;
}

}  // namespace kvmsentry
