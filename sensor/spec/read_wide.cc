// Members that do not fit into 64 bits: texts, addresses, pairs.
#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "sensor/base/glob.h"
#include "sensor/feature/member_kind.h"
#include "sensor/spec/read_members.h"
#include "sensor/spec/report.h"

namespace kvmsentry {
namespace {

constexpr int kAddressBits = 128;

absl::Status IsNo(const MemberKind& kind, absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), " is no ", kind.noun, ": ", why, ", like ", kind.hint));
}

// An address in 16 bytes, IPv4 mapped; false where TEXT is none. BITS: of its own notation.
bool ReadAddress(absl::string_view text, std::array<unsigned char, 16>& bytes, int& bits) {
  const std::string terminated(text);
  bytes = {};
  bits = kAddressBits;
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return true;
  bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  bits = 32;
  return inet_pton(AF_INET, terminated.c_str(), &bytes[12]) == 1;
}

Member ToMember(const std::array<unsigned char, 16>& bytes) {
  Member member;
  for (size_t i = 0; i < 8; ++i) {
    member.first = member.first << 8 | bytes[i];
    member.second = member.second << 8 | bytes[8 + i];
  }
  return member;
}

absl::Status AddAddress(const MemberKind& kind, absl::string_view text, SetNorm& norm) {
  const size_t slash = text.find('/');
  std::array<unsigned char, 16> bytes{};
  int bits = 0;
  if (!ReadAddress(text.substr(0, slash), bytes, bits)) {
    return IsNo(kind, text, "give an address or a prefix");
  }
  int length = bits;
  if (slash != absl::string_view::npos &&
      (!absl::SimpleAtoi(text.substr(slash + 1), &length) || length < 0 || length > bits)) {
    return IsNo(kind, text, absl::StrCat("a prefix has 0 to ", bits, " bits"));
  }
  AddressRange range{ToMember(bytes), ToMember(bytes)};
  const int free_bits = bits - length;
  const auto mask = [](int of) {
    return of >= 64 ? UINT64_MAX : of <= 0 ? 0 : (uint64_t{1} << of) - 1;
  };
  range.last.second |= mask(free_bits);
  range.last.first |= mask(free_bits - 64);
  if ((range.first.second & mask(free_bits)) != 0 ||
      (range.first.first & mask(free_bits - 64)) != 0) {
    return IsNo(kind, text, "bits beyond its prefix are set");
  }
  norm.addresses.push_back(range);
  return absl::OkStatus();
}

absl::Status AddPair(const MemberKind& kind, absl::string_view text, SetNorm& norm) {
  const size_t arrow = text.find("->");
  if (arrow == absl::string_view::npos) return IsNo(kind, text, "give FIRST->SECOND");
  const auto read = [](const MemberKind& of, absl::string_view half) -> absl::StatusOr<Interval> {
    if (half == "*") return Interval{0, UINT64_MAX};
    return ReadMembers(of, half);
  };
  const auto first = read(*kind.first, text.substr(0, arrow));
  if (!first.ok()) return first.status();
  const auto second = read(*kind.second, text.substr(arrow + 2));
  if (!second.ok()) return second.status();
  norm.pairs.push_back({*first, *second});
  return absl::OkStatus();
}

absl::Status AddText(const MemberKind& kind, absl::string_view text, SetNorm& norm) {
  if (text.empty() || text.size() > kMaxMemberText || !IsPlain(text)) {
    return IsNo(kind, text,
                absl::StrCat("give 1 to ", kMaxMemberText, " bytes without control characters"));
  }
  if (const auto problem = GlobProblem(text); !problem.empty()) return IsNo(kind, text, problem);
  norm.texts.emplace_back(text);
  return absl::OkStatus();
}

}  // namespace

absl::Status AddMembers(const MemberKind& kind, absl::string_view text, SetNorm& norm) {
  switch (kind.type) {
    case MemberType::kText:
      return AddText(kind, text, norm);
    case MemberType::kAddress:
      return AddAddress(kind, text, norm);
    case MemberType::kPair:
      return AddPair(kind, text, norm);
    case MemberType::kNumber:
      break;
  }
  const auto interval = ReadMembers(kind, text);
  if (!interval.ok()) return interval.status();
  norm.members.push_back(*interval);
  return absl::OkStatus();
}

}  // namespace kvmsentry
