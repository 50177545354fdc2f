#include "sensor/daemon/seen_members.h"

#include <algorithm>
#include <utility>

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

SeenMembers::SeenMembers() {
  for (const Feature& feature : Catalogue()) {
    if (feature.kind != FeatureKind::kSet) continue;
    sets_.emplace_back(feature.id, std::make_unique<SeenSet>());
  }
}

void SeenMembers::Note(const Observation& seen) {
  const auto set = std::ranges::lower_bound(sets_, seen.feature, {},
                                            [](const auto& entry) { return entry.first; });
  if (set != sets_.end() && set->first == seen.feature) set->second->Note(seen);
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
