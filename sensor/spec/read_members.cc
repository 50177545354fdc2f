#include "sensor/spec/read_members.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "sensor/spec/report.h"

namespace kvmsentry {
namespace {

// Nullopt where TEXT is no number at all; one too large for 64 bits counts as the largest.
std::optional<uint64_t> ReadNumber(absl::string_view text) {
  const int base = absl::StartsWithIgnoreCase(text, "0x") ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  return error == std::errc::result_out_of_range ? UINT64_MAX : number;
}

bool IsOfWhole(uint64_t granule, const Interval& interval) {
  return interval.first % granule == 0 &&
         (interval.last == interval.first || interval.last % granule == granule - 1);
}

}  // namespace

absl::StatusOr<Interval> ReadMembers(const MemberKind& kind, absl::string_view text) {
  // Names first: some hold a '-'.
  if (const auto named = MemberByName(kind, text)) return Interval{*named, *named};
  const size_t dash = text.find('-');
  const auto first = ReadNumber(text.substr(0, dash));
  const auto last = dash == absl::string_view::npos ? first : ReadNumber(text.substr(dash + 1));
  if (!first || !last) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is no ", kind.noun,
                     ": give a number, a range or a known name, like ", kind.hint));
  }
  if (std::max(*first, *last) > kind.largest) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is beyond the last ", kind.noun,
                                                   ", ", NumberText(kind, kind.largest)));
  }
  if (*first > *last) {
    return absl::InvalidArgumentError(
        absl::StrCat("range ", Quoted(text), " is inverted: write the smaller number first"));
  }
  const Interval interval{*first, *last};
  if (!IsOfWhole(kind.granule, interval)) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(text), " is not of whole ", kind.noun, "s: give where one of ",
        NumberText(kind, kind.granule), " begins, or a range to the last byte of one"));
  }
  return interval;
}

std::vector<Interval> JoinOverlaps(std::vector<Interval> intervals) {
  std::ranges::sort(intervals, {}, &Interval::first);
  std::vector<Interval> joined;
  for (const Interval& next : intervals) {
    if (joined.empty() || next.first > joined.back().last) {
      joined.push_back(next);
    } else {
      joined.back().last = std::max(joined.back().last, next.last);
    }
  }
  return joined;
}

}  // namespace kvmsentry
