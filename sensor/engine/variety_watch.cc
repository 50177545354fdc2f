#include "sensor/engine/variety_watch.h"

#include <algorithm>

#include "absl/hash/hash.h"

#include "sensor/feature/member_kind.h"

namespace kvmsentry {
namespace {

uint64_t IdOf(const Member& member) {
  if (member.second == 0 && member.text.empty()) return member.first;
  return absl::HashOf(member.first, member.second, member.text);
}

}  // namespace

bool VarietyWatch::Add(const Member& member, KernelTime time, uint32_t most, int64_t window_ns) {
  const uint64_t id = IdOf(member);
  const auto known = std::ranges::lower_bound(seen_, id, {}, &Seen::id);
  if (known != seen_.end() && known->id == id) {
    known->at = std::max(known->at, time);
  } else {
    // Old ones go when there is no room for it, and before they would count.
    if (seen_.size() >= most || seen_.size() == seen_.capacity()) Forget(time - window_ns);
    if (seen_.size() <= most) Insert(id, time, most);
  }
  if (seen_.size() > most) Forget(time - window_ns);
  if (seen_.size() <= most && id != kUntoldMember) return false;
  too_many_at_ = std::max(too_many_at_, time);
  return true;
}

void VarietyWatch::Insert(uint64_t id, KernelTime time, uint32_t most) {
  constexpr size_t kFirst = 8;
  if (seen_.size() == seen_.capacity()) {
    seen_.reserve(std::min<size_t>(std::max(kFirst, 2 * seen_.size()), size_t{most} + 1));
  }
  oldest_ = seen_.empty() ? time : std::min(oldest_, time);
  seen_.insert(std::ranges::lower_bound(seen_, id, {}, &Seen::id), {id, time});
}

void VarietyWatch::Forget(KernelTime before) {
  if (seen_.empty() || oldest_ >= before) return;
  std::erase_if(seen_, [before](const Seen& seen) { return seen.at < before; });
  if (4 * seen_.size() < seen_.capacity()) seen_.shrink_to_fit();
  const auto oldest = std::ranges::min_element(seen_, {}, &Seen::at);
  if (oldest != seen_.end()) oldest_ = oldest->at;
}

}  // namespace kvmsentry
