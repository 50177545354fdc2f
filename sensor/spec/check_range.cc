#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

#include "sensor/base/time.h"
#include "sensor/spec/check_norm.h"

namespace kvmsentry {
namespace {

constexpr uint32_t kMaxBurstMs = 10'000;
// No host does more of anything: some thousand vCPUs, and some nanoseconds for each.
constexpr uint64_t kMaxPerMs = 1'000'000'000;

// What is counted is whole occurrences.
void CheckOneFits(const NormAt& at, const RangeNorm& range) {
  const double window = static_cast<double>(at.window_ns) / static_cast<double>(kNsPerSecond);
  if (!range.max || *range.max == 0 || *range.max * window >= 1) return;
  at.report.Warn(at.places.Of("max"),
                 absl::StrCat("max ", *range.max,
                              " is less than one in a window: any would deviate; "
                              "write max 0 if that is meant, else widen the window to ",
                              std::ceil(1 / *range.max), "s"));
}

bool Amount(const NormAt& at, absl::string_view field, bool given, double value) {
  if (!given || (value >= 0 && value <= static_cast<double>(kMaxAmount))) return true;
  at.report(at.places.Of(field),
            absl::StrCat(field, " is ", value, "; it must be from 0 to ", kMaxAmount));
  return false;
}

void SetHysteresis(const NormAt& at, RangeNorm& range) {
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
  if (!at.norm.has_clear()) return;
  const double clear = at.norm.clear();
  if (range.min.has_value() == range.max.has_value()) {
    at.report(at.places.Of("clear"), range.max
                                         ? "clear with both max and min: it can't be both sides'"
                                         : "clear needs a max or a min");
  } else if (range.max && clear > max) {
    at.report(at.places.Of("clear"), absl::StrCat("clear ", clear, " is above max ", max,
                                                  ": an alert would clear while it goes on"));
  } else if (range.min && clear < min) {
    at.report(at.places.Of("clear"), absl::StrCat("clear ", clear, " is below min ", min,
                                                  ": an alert would clear while it goes on"));
  }
  (range.max ? range.clear_max : range.clear_min) = clear;
}

// The fields that the range is written in.
struct RangeFields {
  absl::string_view max;
  absl::string_view min;
};

RangeFields FieldsOf(bool of_given) {
  if (of_given) return {"max_percent_of_given", "min_percent_of_given"};
  return {"max", "min"};
}

void CheckOfGiven(const NormAt& at, absl::string_view field) {
  if (at.feature == nullptr || at.feature->kind != FeatureKind::kLevel) return;
  if (!at.feature->given) {
    at.report(at.places.Of(field), absl::StrCat(field, ": nobody knows what a VM was given of \"",
                                                at.feature->name, "\"; write max or min"));
  }
  if (at.norm.per() == v1::Norm::VCPU) {
    at.report(at.places.Of("per"),
              absl::StrCat("per VCPU with ", field, ": what a VM was given is the whole VM's"));
  }
}

}  // namespace

Norm CheckRange(const NormAt& at) {
  const v1::Norm& norm = at.norm;
  const bool of_given = norm.has_max_percent_of_given() || norm.has_min_percent_of_given();
  const RangeFields fields = FieldsOf(of_given);
  const bool has_max = of_given ? norm.has_max_percent_of_given() : norm.has_max();
  const bool has_min = of_given ? norm.has_min_percent_of_given() : norm.has_min();
  const double max = of_given ? norm.max_percent_of_given() : norm.max();
  const double min = of_given ? norm.min_percent_of_given() : norm.min();
  // One by one: each has its own problem.
  bool readable = Amount(at, fields.max, has_max, max);
  readable = Amount(at, fields.min, has_min, min) && readable;
  readable = Amount(at, "clear", norm.has_clear(), norm.clear()) && readable;
  RangeNorm range;
  range.of_given = of_given;
  if (!readable) return range;
  if (has_max) range.max = max;
  if (has_min) range.min = min;
  if (of_given) CheckOfGiven(at, has_max ? fields.max : fields.min);
  if (range.min && range.max && *range.min > *range.max) {
    at.report(at.places.Of(fields.min),
              absl::StrCat(fields.min, " ", *range.min, " is above ", fields.max, " ", *range.max,
                           ": nothing would be normal"));
  } else if (range.min && !range.max && *range.min == 0) {
    at.report(at.places.Of(fields.min),
              absl::StrCat(fields.min, " 0 without ", fields.max, ": everything would be normal"));
  }
  if (at.feature == nullptr || at.feature->kind == FeatureKind::kRate) CheckOneFits(at, range);
  SetHysteresis(at, range);
  return range;
}

Norm CheckBurst(const NormAt& at) {
  const v1::Burst& burst = at.norm.burst();
  const Places places = at.places.Into("burst");
  if (burst.count() < 1 || burst.count() > kMaxAmount) {
    at.report(places.Of("count"), absl::StrCat("burst count is ", burst.count(),
                                               "; it must be from 1 to ", kMaxAmount));
  }
  if (burst.milliseconds() < 1 || burst.milliseconds() > kMaxBurstMs) {
    at.report(places.Of("milliseconds"),
              absl::StrCat("burst milliseconds is ", burst.milliseconds(),
                           "; it must be from 1 to ", kMaxBurstMs));
  } else if (burst.count() <= kMaxAmount && burst.count() / burst.milliseconds() >= kMaxPerMs) {
    at.report(places.Of("count"),
              absl::StrCat("burst of ", burst.count(), " in ", burst.milliseconds(),
                           "ms: no host is that fast, so no alert would ever open"));
  }
  if (at.feature != nullptr && at.feature->meter && !at.feature->kernel_limit) {
    at.report.Warn(
        at.places.Of("burst"),
        absl::StrCat("burst of \"", at.feature->name,
                     "\": the kernel has no limit for it, so a burst shorter than a tick "
                     "is seen only where it is many times as large; write max"));
  }
  return BurstNorm{burst.count(), burst.milliseconds() * kNsPerMs};
}

}  // namespace kvmsentry
