// The members of a set that one VM was seen with outside its norm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sensor/base/time.h"
#include "sensor/feature/member.h"

namespace kvmsentry {

// A guest chooses its members, so only the first kTracked are told apart; sightings of others are
// counted.
class MemberWatch {
 public:
  static constexpr size_t kTracked = 32;

  // MEMBER, outside the norm, was seen at TIME. True where it is new: neither seen before nor
  // beyond what is told apart.
  bool OnDeviant(const Member& member, KernelTime time);

  // No member outside the norm was seen for QUIET_NS before NOW.
  bool Quiet(KernelTime now, int64_t quiet_ns) const { return now - last_seen_ >= quiet_ns; }

  std::span<const Member> members() const { return members_; }  // in the order first seen
  uint64_t beyond() const { return beyond_; }  // sightings of members that are not told apart

  void Forget();

 private:
  std::vector<Member> members_;
  uint64_t beyond_ = 0;
  KernelTime last_seen_;
};

}  // namespace kvmsentry
