#include "sensor/spec/covers.h"

#include <algorithm>
#include <limits>

namespace kvmsentry {

bool Covers(const std::vector<Interval>& outer, const std::vector<Interval>& inner) {
  return std::ranges::all_of(inner, [&outer](const Interval& interval) {
    uint64_t next = interval.first;
    for (const Interval& part : outer) {
      if (part.last < next) continue;
      if (part.first > next) return false;
      if (part.last >= interval.last) return true;
      next = part.last + 1;
    }
    return false;
  });
}

namespace {

using PatternList = std::vector<std::string>;

// Whether each text that matches one of NARROW matches one of WIDE.
bool Covers(const PatternList& wide, const PatternList& narrow) {
  const auto has = [&wide](const std::string& pattern) {
    return std::ranges::find(wide, pattern) != wide.end();
  };
  return wide.empty() || has("*") || (!narrow.empty() && std::ranges::all_of(narrow, has));
}

bool Covers(const Selector& wide, const Selector& narrow) {
  return Covers(wide.vm, narrow.vm) && Covers(wide.uuid, narrow.uuid) &&
         Covers(wide.cgroup, narrow.cgroup) && Covers(wide.vmm, narrow.vmm) &&
         Covers(wide.part, narrow.part);
}

bool AreApart(const std::vector<Interval>& a, const std::vector<Interval>& b) {
  return std::ranges::none_of(a, [&b](const Interval& x) {
    return std::ranges::any_of(
        b, [&x](const Interval& y) { return x.first <= y.last && y.first <= x.last; });
  });
}

// Whether all that is normal by STRICT is normal by LAX, and both are judged alike.
bool IsStricter(const RangeNorm& strict, const RangeNorm& lax) {
  constexpr double kNoMax = std::numeric_limits<double>::infinity();
  return strict.of_given == lax.of_given &&
         strict.max.value_or(kNoMax) <= lax.max.value_or(kNoMax) &&
         strict.min.value_or(0) >= lax.min.value_or(0);
}

bool IsStricter(const BurstNorm& strict, const BurstNorm& lax) {
  return strict.count <= lax.count && strict.window_ns >= lax.window_ns;
}

bool HoldsNumbersAlone(const SetNorm& norm) {
  return norm.addresses.empty() && norm.pairs.empty() && norm.texts.empty();
}

bool IsStricter(const SetNorm& strict, const SetNorm& lax) {
  if (!HoldsNumbersAlone(strict) || !HoldsNumbersAlone(lax)) return strict == lax;
  if (strict.allow) {
    return lax.allow ? Covers(lax.members, strict.members) : AreApart(strict.members, lax.members);
  }
  return !lax.allow && Covers(strict.members, lax.members);
}

bool IsStricter(const VarietyNorm& strict, const VarietyNorm& lax) {
  return strict.most <= lax.most;
}

bool IsStricter(const Spec& strict, const Spec& lax) {
  if (strict.norm.index() != lax.norm.index() || strict.per_vcpu != lax.per_vcpu) return false;
  if (strict.patience.for_ns > lax.patience.for_ns) return false;
  return std::visit(
      [&](const auto& norm) {
        using Kind = std::decay_t<decltype(norm)>;
        // A rate over another time is another thing; of a set, all windows see a new member at
        // once.
        constexpr bool kInWindow =
            std::is_same_v<Kind, RangeNorm> || std::is_same_v<Kind, VarietyNorm>;
        if (kInWindow && strict.window_ns != lax.window_ns) return false;
        return IsStricter(norm, std::get<Kind>(lax.norm));
      },
      strict.norm);
}

}  // namespace

bool LeavesNothing(const Spec& spec) {
  return std::ranges::any_of(
      spec.except, [&](const Selector& left_out) { return Covers(left_out, spec.select); });
}

bool Shadows(const Spec& spec, const Spec& shadowed) {
  return spec.feature == shadowed.feature && spec.point == shadowed.point &&
         spec.observe_only == shadowed.observe_only && spec.severity >= shadowed.severity &&
         IsStricter(spec, shadowed) && Covers(spec.select, shadowed.select) &&
         std::ranges::all_of(spec.except, [&](const Selector& left_out) {
           return std::ranges::any_of(shadowed.except,
                                      [&](const Selector& also) { return Covers(also, left_out); });
         });
}

}  // namespace kvmsentry
