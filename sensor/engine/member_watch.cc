#include "sensor/engine/member_watch.h"

#include <algorithm>

namespace kvmsentry {

bool MemberWatch::OnDeviant(const Member& member, KernelTime time) {
  last_seen_ = std::max(last_seen_, time);
  if (std::ranges::find(members_, member) != members_.end()) return false;
  if (members_.size() == kTracked) {
    ++beyond_;
    return false;
  }
  members_.push_back(member);
  Member& kept = members_.back();
  kept.text.resize(std::min(kept.text.size(), kMaxMemberText));
  kept.by.resize(std::min(kept.by.size(), kMaxMemberBy));
  return true;
}

void MemberWatch::Forget() {
  members_.clear();
  beyond_ = 0;
}

}  // namespace kvmsentry
