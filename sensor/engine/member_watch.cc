#include "sensor/engine/member_watch.h"

#include <algorithm>

namespace kvmsentry {

MemberWatch::Seen MemberWatch::OnMember(const SetNorm& norm, uint64_t member, KernelTime time) {
  if (norm.IsNormal(member)) return Seen::kNormal;
  last_seen_ = std::max(last_seen_, time);
  if (std::ranges::find(members_, member) != members_.end()) return Seen::kKnown;
  if (members_.size() == kTracked) {
    ++beyond_;
    return Seen::kKnown;
  }
  members_.push_back(member);
  return Seen::kNew;
}

void MemberWatch::Forget() {
  members_.clear();
  beyond_ = 0;
}

}  // namespace kvmsentry
