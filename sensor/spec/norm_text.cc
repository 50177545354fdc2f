#include "sensor/spec/norm_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"

#include "sensor/base/thousands.h"
#include "sensor/feature/member_kind.h"

namespace kvmsentry {
namespace {

constexpr size_t kMembersShown = 8;

// Up to six digits as they are; larger numbers grouped, without a fraction that nobody reads.
std::string Amount(double value) {
  if (value < 999.9995) return absl::StrCat(value);
  return GroupDigits(absl::StrFormat("%.0f", value));
}

std::string Span(int64_t ns) { return absl::FormatDuration(absl::Nanoseconds(ns)); }

std::string RangeText(const RangeNorm& range, absl::string_view unit, absl::string_view over) {
  if (range.min && range.max) {
    return absl::StrCat("between ", Amount(*range.min), " and ", Amount(*range.max), unit, over);
  }
  if (range.max) return absl::StrCat("at most ", Amount(*range.max), unit, over);
  return absl::StrCat("at least ", Amount(range.min.value_or(0)), unit, over);
}

std::string IntervalText(const MemberKind& kind, const Interval& interval) {
  if (interval.first == interval.last) return BareMemberText(kind, interval.first);
  if (interval.first == 0 && interval.last == UINT64_MAX) return "*";
  return absl::StrCat(NumberText(kind, interval.first), "-", NumberText(kind, interval.last));
}

// "fe80::-fe80::ff": the two ends, or the one.
std::string AddressesText(const MemberKind& kind, const AddressRange& range) {
  const auto bare = [&kind](const Member& member) {
    return std::string(absl::StripPrefix(MemberText(kind, member), absl::StrCat(kind.noun, " ")));
  };
  if (range.first == range.last) return bare(range.first);
  return absl::StrCat(bare(range.first), "-", bare(range.last));
}

// "allowed: ports 0x60-0x64, 0x3f8 (com1)"
std::string SetText(const SetNorm& set, const MemberKind& kind, absl::string_view noun,
                    TextLength length) {
  std::vector<std::string> texts;
  for (const Interval& interval : set.members) texts.push_back(IntervalText(kind, interval));
  for (const AddressRange& range : set.addresses) texts.push_back(AddressesText(kind, range));
  for (const PairRange& pair : set.pairs) {
    texts.push_back(absl::StrCat(IntervalText(*kind.first, pair.first), "->",
                                 IntervalText(*kind.second, pair.second)));
  }
  for (const std::string& text : set.texts) texts.push_back(text);
  const bool several =
      texts.size() > 1 || (set.members.size() == 1 && set.members[0].first != set.members[0].last);
  const bool many = several && !kind.is_mass;
  std::string text = absl::StrCat(set.allow ? "allowed: " : "forbidden: ", noun, many ? "s " : " ");
  const size_t shown = std::min(texts.size(), MaxShown(length, kMembersShown));
  for (size_t i = 0; i < shown; ++i) absl::StrAppend(&text, i == 0 ? "" : ", ", texts[i]);
  if (shown < texts.size()) absl::StrAppend(&text, " and ", texts.size() - shown, " more");
  return text;
}

}  // namespace

std::string VarietyText(const Feature& feature, uint32_t members, int64_t window_ns) {
  return absl::StrCat(WithThousands(members), " different ", feature.member->noun,
                      feature.member->is_mass || members == 1 ? "" : "s", " within ",
                      Span(window_ns));
}

std::string NormText(const Spec& spec, const Feature& feature, TextLength length) {
  const absl::string_view per = spec.per_vcpu ? " per vCPU" : "";
  std::string text;
  if (const auto* range = std::get_if<RangeNorm>(&spec.norm)) {
    if (feature.kind != FeatureKind::kLevel) {
      text = RangeText(*range, absl::StrCat(absl::StripPrefix(feature.unit, "1"), per),
                       absl::StrCat(" over ", Span(spec.window_ns)));
    } else if (range->of_given) {
      text = RangeText(*range, "% of what was given", "");
    } else {
      text = RangeText(*range, absl::StrCat(feature.unit == "%" ? "" : " ", feature.unit), per);
    }
  } else if (const auto* burst = std::get_if<BurstNorm>(&spec.norm)) {
    text =
        absl::StrCat("at most ", WithThousands(burst->count), per, " in ", Span(burst->window_ns));
  } else if (const auto* variety = std::get_if<VarietyNorm>(&spec.norm)) {
    text = absl::StrCat("at most ", VarietyText(feature, variety->most, spec.window_ns));
  } else {
    const bool is_state = feature.kind == FeatureKind::kState;
    text = SetText(std::get<SetNorm>(spec.norm), *feature.member,
                   is_state ? "state" : feature.member->noun, length);
  }
  if (spec.patience.for_ns > 0) absl::StrAppend(&text, ", for ", Span(spec.patience.for_ns));
  return text;
}

}  // namespace kvmsentry
