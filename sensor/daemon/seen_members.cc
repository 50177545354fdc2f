#include "sensor/daemon/seen_members.h"

#include <span>
#include <utility>
#include <vector>

#include "sensor/source/catalogue.h"

namespace kvmsentry {

void SeenSet::Note(uint64_t value, KernelTime time) {
  if (const auto known = by_value_.find(value); known != by_value_.end()) {
    At(known->second).last_ns.store(time.ns, std::memory_order_relaxed);
  } else if (const auto place = Add(value, nullptr, time)) {
    by_value_.emplace(value, *place);
  }
}

void SeenSet::Note(const std::shared_ptr<const Member>& wide, KernelTime time) {
  if (const auto known = by_member_.find(*wide); known != by_member_.end()) {
    At(known->second).last_ns.store(time.ns, std::memory_order_relaxed);
  } else if (const auto place = Add(0, wide, time)) {
    by_member_.emplace(*wide, *place);
  }
}

std::optional<uint32_t> SeenSet::Add(uint64_t value, std::shared_ptr<const Member> wide,
                                     KernelTime time) {
  const uint32_t count = count_.load(std::memory_order_relaxed);
  if (count == kMost) {
    beyond_.store(beyond() + 1, std::memory_order_relaxed);
    return std::nullopt;
  }
  std::unique_ptr<Chunk>& chunk = chunks_[count / kChunk];
  if (chunk == nullptr) chunk = std::make_unique<Chunk>();
  SeenMember& member = At(count);
  member.value = value;
  member.wide = std::move(wide);
  member.first = time;
  member.last_ns.store(time.ns, std::memory_order_relaxed);
  count_.store(count + 1, std::memory_order_release);  // last: now it may be read
  return count;
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
  static const auto* const kPlaces = [] {
    const std::span<const FeatureId> sets = SetFeatures();
    auto* places = new std::vector<size_t>(Catalogue().size(), sets.size());
    for (size_t i = 0; i < sets.size(); ++i) (*places)[static_cast<size_t>(sets[i])] = i;
    return places;
  }();
  return (*kPlaces)[static_cast<size_t>(feature)];
}

}  // namespace

SeenMembers::SeenMembers()
    : sets_(std::make_unique<std::atomic<SeenSet*>[]>(SetFeatures().size() + 1)) {}

SeenMembers::~SeenMembers() {
  for (size_t i = 0; i <= SetFeatures().size(); ++i) delete sets_[i].load();
}

SeenSet& SeenMembers::SetOf(FeatureId feature) {
  std::atomic<SeenSet*>& place = sets_[PlaceOf(feature)];
  SeenSet* set = place.load(std::memory_order_relaxed);
  if (set == nullptr) {
    set = new SeenSet;
    place.store(set, std::memory_order_release);
  }
  return *set;
}

void SeenMembers::Note(const Observation& seen) {
  if (seen.member == nullptr) {
    Note(seen.feature, seen.value, seen.time);
  } else {
    SetOf(seen.feature).Note(seen.member, seen.time);
  }
}

const SeenSet* SeenMembers::Of(FeatureId feature) const {
  const size_t place = PlaceOf(feature);
  return place == SetFeatures().size() ? nullptr : sets_[place].load(std::memory_order_acquire);
}

SeenMembers& MemberBook::MembersOf(VmId vm) {
  if (latest_members_ == nullptr || latest_ != vm) {
    std::shared_ptr<SeenMembers>& members = vms_[vm];
    if (members == nullptr) members = std::make_shared<SeenMembers>();
    latest_ = vm;
    latest_members_ = members.get();
  }
  return *latest_members_;
}

void MemberBook::Note(const Observation& seen) { MembersOf(seen.vm).Note(seen); }

void MemberBook::Note(const Sighting& seen, KernelTime time) {
  MembersOf(seen.vm).Note(seen.feature, seen.member, time);
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
