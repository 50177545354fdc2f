#include "sensor/spec/read_members.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "bpf/records.h"
#include "sensor/feature/members.h"
#include "sensor/spec/norm_text.h"
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

std::string Hint(Field field) {
  switch (field) {
    case Field::kPort:
      return "0x3f8, 0x60-0x64 or com1";
    case Field::kMsr:
      return "0xc0000082, 0x830-0x83f or LSTAR";
    case Field::kExitReason:
      return "2, 29-30 or MMIO";
    case Field::kVmExit:
      return "svm:vmrun or vmx:VMLAUNCH";
    case Field::kHypercall:
      return "5, 9-12 or SEND_IPI";
    case Field::kGuestPage:
      return "0xfed00000 or 0xfe000000-0xfe003fff";
    case Field::kKvmIoctl:
      return "vm:SET_USER_MEMORY_REGION, vcpu:SET_REGS or 0-255";
    case Field::kVhostIoctl:
      return "SET_LOG_BASE or 3-4";
    case Field::kVfioIoctl:
      return "IOMMU_MAP_DMA, DEVICE_RESET or 100-127";
    case Field::kVector:
    case Field::kControlRegister:
    case Field::kGuestAddress:
    case Field::kNone:
      break;
  }
  return "1 or 1-2";
}

bool IsOfWholePages(const Interval& interval) {
  constexpr uint64_t kPage = uint64_t{1} << KS_PAGE_SHIFT;
  return interval.first % kPage == 0 &&
         (interval.last == interval.first || interval.last % kPage == kPage - 1);
}

}  // namespace

absl::StatusOr<Interval> ReadMembers(Field field, absl::string_view text) {
  // Names first: some hold a '-'.
  if (const auto named = MemberByName(field, text)) return Interval{*named, *named};
  const size_t dash = text.find('-');
  const auto first = ReadNumber(text.substr(0, dash));
  const auto last = dash == absl::string_view::npos ? first : ReadNumber(text.substr(dash + 1));
  if (!first || !last) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text), " is no ", NounOf(field),
                     ": give a number, a range or a known name, like ", Hint(field)));
  }
  if (std::max(*first, *last) > LargestMember(field)) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " is beyond the last ",
                                                   NounOf(field), ", ",
                                                   NumberText(field, LargestMember(field))));
  }
  if (*first > *last) {
    return absl::InvalidArgumentError(
        absl::StrCat("range ", Quoted(text), " is inverted: write the smaller number first"));
  }
  const Interval interval{*first, *last};
  if (field == Field::kGuestPage && !IsOfWholePages(interval)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(text),
                     " is not of whole pages: give the address at which one of 0x1000 "
                     "bytes begins, or a range of pages to the last byte"));
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

bool SetNorm::IsNormal(uint64_t member) const {
  if (member == kUntoldMember) return false;
  const auto after = std::ranges::upper_bound(members, member, {}, &Interval::first);
  const bool listed = after != members.begin() && std::prev(after)->last >= member;
  return listed == allow;
}

}  // namespace kvmsentry
