#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/message.h"
#include "google/protobuf/reflection.h"

#include "sensor/base/time.h"
#include "sensor/source/catalogue.h"
#include "sensor/spec/check.h"
#include "sensor/spec/covers.h"
#include "sensor/spec/norm_text.h"
#include "sensor/spec/read_members.h"

namespace kvmsentry {
namespace {

// So that a count over the longest window is exact in a double.
constexpr uint64_t kMaxAmount = 1'000'000'000'000;
constexpr uint32_t kMaxBurstMs = 10'000;
// No host does more of anything: some thousand vCPUs, and some nanoseconds for each.
constexpr uint64_t kMaxPerMs = 1'000'000'000;

// The fields of Members are the keys of the kinds that sets have: a test compares the two.
const google::protobuf::Descriptor& MembersType() { return *v1::Members::descriptor(); }

// The kind of a set's members whose key is KEY; nullptr where no set has it.
const MemberKind* KindOf(absl::string_view key) {
  for (const Feature& feature : Catalogue()) {
    if (feature.kind == FeatureKind::kSet && feature.member->key == key) return feature.member;
  }
  return nullptr;
}

class NormChecker {
 public:
  NormChecker(const v1::Norm& norm, const Places& places, const Feature* feature, int64_t window_ns,
              const Report& report)
      : norm_(norm), places_(places), feature_(feature), window_ns_(window_ns), report_(report) {}

  Norm Check() {
    // What could not be read was reported; whether the rest agrees with it can't be known.
    if (places_.LeftOut(
            {"norm", "max", "min", "clear", "burst", "count", "milliseconds", "allow", "deny"}) ||
        MembersLeftOut()) {
      return RangeNorm{};
    }
    CheckKind();
    CheckUnit();
    if (norm_.has_burst()) return Burst();
    if (norm_.has_allow()) return Set("allow", norm_.allow());
    if (norm_.has_deny()) return Set("deny", norm_.deny());
    return Range();
  }

 private:
  bool MembersLeftOut() const {
    for (int i = 0; i < MembersType().field_count(); ++i) {
      if (places_.LeftOut({MembersType().field(i)->name()})) return true;
    }
    return false;
  }

  void CheckKind() {
    std::vector<absl::string_view> given;
    for (const absl::string_view field : {"max", "min", "clear"}) {
      if (places_.Has(field)) {
        given.push_back(field);
        break;  // together they are one kind
      }
    }
    for (const absl::string_view field : {"burst", "allow", "deny"}) {
      if (places_.Has(field)) given.push_back(field);
    }
    if (given.empty()) {
      report_(places_.self(), "norm says nothing: give it max, min, burst, allow or deny");
    } else if (given.size() > 1) {
      report_(places_.self(), absl::StrCat("norm is of more than one kind: ",
                                           absl::StrJoin(given, ", "), "; split the spec"));
    } else if (feature_ != nullptr) {
      const bool for_set = given[0] == "allow" || given[0] == "deny";
      if (for_set && feature_->kind != FeatureKind::kSet) {
        report_(places_.Of(given[0]),
                absl::StrCat(given[0], " does not fit feature \"", feature_->name,
                             "\", a rate: give the norm max, min or burst"));
      } else if (!for_set && feature_->kind != FeatureKind::kRate) {
        report_(places_.Of(given[0]),
                absl::StrCat(given[0], " does not fit feature \"", feature_->name,
                             "\", a set: give the norm allow or deny"));
      }
    }
  }

  void CheckUnit() {
    if (feature_ == nullptr || !places_.Has("unit") || norm_.unit() == feature_->unit) return;
    report_(places_.Of("unit"),
            absl::StrCat("unit ", Quoted(norm_.unit()), " is not that of feature \"",
                         feature_->name, "\": its norm is in \"", feature_->unit, "\""));
  }

  Norm Range() {
    // One by one: each has its own problem.
    bool readable = Amount("max", norm_.has_max(), norm_.max());
    readable = Amount("min", norm_.has_min(), norm_.min()) && readable;
    readable = Amount("clear", norm_.has_clear(), norm_.clear()) && readable;
    RangeNorm range;
    if (!readable) return range;
    if (norm_.has_max()) range.max = norm_.max();
    if (norm_.has_min()) range.min = norm_.min();
    if (range.min && range.max && *range.min > *range.max) {
      report_(places_.Of("min"), absl::StrCat("min ", *range.min, " is above max ", *range.max,
                                              ": nothing would be normal"));
    } else if (range.min && !range.max && *range.min == 0) {
      report_(places_.Of("min"), "min 0 without max: everything would be normal");
    }
    CheckOneFits(range);
    SetHysteresis(range);
    return range;
  }

  // What is counted is whole occurrences.
  void CheckOneFits(const RangeNorm& range) {
    const double window = static_cast<double>(window_ns_) / static_cast<double>(kNsPerSecond);
    if (!range.max || *range.max == 0 || *range.max * window >= 1) return;
    report_.Warn(places_.Of("max"),
                 absl::StrCat("max ", *range.max,
                              " is less than one in a window: any would deviate; "
                              "write max 0 if that is meant, else widen the window to ",
                              std::ceil(1 / *range.max), "s"));
  }

  bool Amount(absl::string_view field, bool given, double value) {
    if (!given || (value >= 0 && value <= static_cast<double>(kMaxAmount))) return true;
    report_(places_.Of(field),
            absl::StrCat(field, " is ", value, "; it must be from 0 to ", kMaxAmount));
    return false;
  }

  void SetHysteresis(RangeNorm& range) {
    const double max = range.max.value_or(0);
    const double min = range.min.value_or(0);
    range.clear_max = max * 0.8;
    range.clear_min = min * 1.25;
    if (range.min && range.max) {
      // So that there is always something between the two to clear at.
      const double quarter = (max - min) / 4;
      range.clear_max = std::max(range.clear_max, max - quarter);
      range.clear_min = std::min(range.clear_min, min + quarter);
    }
    if (!norm_.has_clear()) return;
    const double clear = norm_.clear();
    if (range.min.has_value() == range.max.has_value()) {
      report_(places_.Of("clear"), range.max
                                       ? "clear with both max and min: it can't be both sides'"
                                       : "clear needs a max or a min");
    } else if (range.max && clear > max) {
      report_(places_.Of("clear"), absl::StrCat("clear ", clear, " is above max ", max,
                                                ": an alert would clear while it goes on"));
    } else if (range.min && clear < min) {
      report_(places_.Of("clear"), absl::StrCat("clear ", clear, " is below min ", min,
                                                ": an alert would clear while it goes on"));
    }
    (range.max ? range.clear_max : range.clear_min) = clear;
  }

  Norm Burst() {
    const v1::Burst& burst = norm_.burst();
    const Places places = places_.Into("burst");
    if (burst.count() < 1 || burst.count() > kMaxAmount) {
      report_(places.Of("count"), absl::StrCat("burst count is ", burst.count(),
                                               "; it must be from 1 to ", kMaxAmount));
    }
    if (burst.milliseconds() < 1 || burst.milliseconds() > kMaxBurstMs) {
      report_(places.Of("milliseconds"),
              absl::StrCat("burst milliseconds is ", burst.milliseconds(),
                           "; it must be from 1 to ", kMaxBurstMs));
    } else if (burst.count() <= kMaxAmount && burst.count() / burst.milliseconds() >= kMaxPerMs) {
      report_(places.Of("count"),
              absl::StrCat("burst of ", burst.count(), " in ", burst.milliseconds(),
                           "ms: no host is that fast, so nothing would ever be told"));
    }
    return BurstNorm{burst.count(), burst.milliseconds() * kNsPerMs};
  }

  Norm Set(absl::string_view kind, const v1::Members& members) {
    const Places places = places_.Into(kind);
    const bool is_set = feature_ != nullptr && feature_->kind == FeatureKind::kSet;
    SetNorm set{.allow = kind == "allow", .members = {}};
    bool any = false;
    for (int i = 0; i < MembersType().field_count(); ++i) {
      const auto* field = MembersType().field(i);
      const auto& texts = members.GetReflection()->GetRepeatedFieldRef<std::string>(members, field);
      const MemberKind* member = KindOf(field->name());
      if (texts.empty() || member == nullptr) continue;
      any = true;
      if (is_set && member != feature_->member) {
        report_(places.Of(field->name()),
                absl::StrCat(field->name(), " is not the field of feature \"", feature_->name,
                             "\"; write ", feature_->member->key));
        continue;
      }
      Read(*member, {texts.begin(), texts.end()}, places, set.members);
    }
    if (!any) report_(places.self(), absl::StrCat(kind, " names no member"));
    set.members = JoinOverlaps(std::move(set.members));
    if (is_set && set.allow && Covers(set.members, {{0, feature_->member->largest}})) {
      report_(places.self(), "allow names every member: everything would be normal");
    }
    return set;
  }

  void Read(const MemberKind& kind, const std::vector<std::string>& texts, const Places& places,
            std::vector<Interval>& members) {
    const std::vector<TextPosition> at = places.ValuesOf(kind.key);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto interval = ReadMembers(kind, texts[i]);
      if (interval.ok()) {
        members.push_back(*interval);
      } else {
        report_(i < at.size() ? at[i] : places.Of(kind.key),
                std::string(interval.status().message()));
      }
    }
  }

  const v1::Norm& norm_;
  const Places& places_;
  const Feature* feature_;
  int64_t window_ns_;
  const Report& report_;
};

}  // namespace

Norm CheckNorm(const v1::Norm& norm, const Places& places, const Feature* feature,
               int64_t window_ns, const Report& report) {
  return NormChecker(norm, places, feature, window_ns, report).Check();
}

}  // namespace kvmsentry
