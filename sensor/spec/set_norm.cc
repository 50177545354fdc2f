// Whether a member is normal by a set norm.
#include <algorithm>

#include "sensor/base/glob.h"
#include "sensor/feature/member_kind.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {
namespace {

bool Holds(const Interval& interval, uint64_t member) {
  return interval.first <= member && member <= interval.last;
}

}  // namespace

bool SetNorm::IsNormal(uint64_t member) const {
  if (member == kUntoldMember) return false;
  const auto after = std::ranges::upper_bound(members, member, {}, &Interval::first);
  const bool listed = after != members.begin() && std::prev(after)->last >= member;
  return listed == allow;
}

bool SetNorm::IsNormal(const Member& member) const {
  if (!members.empty()) return IsNormal(member.first);
  const bool listed = std::ranges::any_of(addresses,
                                          [&](const AddressRange& range) {
                                            return range.first <= member && member <= range.last;
                                          }) ||
                      std::ranges::any_of(pairs,
                                          [&](const PairRange& range) {
                                            return Holds(range.first, member.first) &&
                                                   Holds(range.second, member.second);
                                          }) ||
                      std::ranges::any_of(texts, [&](const std::string& pattern) {
                        return GlobMatch(pattern, member.text);
                      });
  return listed == allow;
}

}  // namespace kvmsentry
