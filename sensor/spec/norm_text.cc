#include "sensor/spec/norm_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "sensor/base/thousands.h"

namespace kvmsentry {
namespace {

constexpr size_t kMaxMembersShown = 8;

// Up to six digits as they are; larger numbers grouped, without a fraction that nobody reads.
std::string Amount(double value) {
  if (value < 999.9995) return absl::StrCat(value);
  return GroupDigits(absl::StrFormat("%.0f", value));
}

std::string Span(int64_t ns) { return absl::FormatDuration(absl::Nanoseconds(ns)); }

std::string RangeText(const RangeNorm& range, absl::string_view per, int64_t window_ns) {
  const std::string over = absl::StrCat(per, " over ", Span(window_ns));
  if (range.min && range.max) {
    return absl::StrCat("between ", Amount(*range.min), " and ", Amount(*range.max), over);
  }
  if (range.max) return absl::StrCat("at most ", Amount(*range.max), over);
  return absl::StrCat("at least ", Amount(range.min.value_or(0)), over);
}

std::string IntervalText(const MemberKind& kind, const Interval& interval) {
  if (interval.first == interval.last) return MemberText(kind, interval.first);
  return absl::StrCat(kind.noun, "s ", NumberText(kind, interval.first), "-",
                      NumberText(kind, interval.last));
}

std::string SetText(const SetNorm& set, const MemberKind& kind) {
  std::string text = set.allow ? "only " : "none of ";
  const size_t shown = std::min(set.members.size(), kMaxMembersShown);
  for (size_t i = 0; i < shown; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ", ", IntervalText(kind, set.members[i]));
  }
  if (shown < set.members.size()) {
    absl::StrAppend(&text, " and ", set.members.size() - shown, " more");
  }
  return text;
}

}  // namespace

std::string NormText(const Norm& norm, const Feature& feature, int64_t window_ns) {
  if (const auto* range = std::get_if<RangeNorm>(&norm)) {
    return RangeText(*range, absl::StripPrefix(feature.unit, "1"), window_ns);
  }
  if (const auto* burst = std::get_if<BurstNorm>(&norm)) {
    return absl::StrCat("at most ", WithThousands(burst->count), " in ", Span(burst->window_ns));
  }
  return SetText(std::get<SetNorm>(norm), *feature.member);
}

}  // namespace kvmsentry
