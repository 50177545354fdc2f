#include "sensor/feature/member_kind.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace kvmsentry {
namespace {

std::span<const NamedMember> NamesOf(const MemberKind& kind) {
  return kind.names == nullptr ? std::span<const NamedMember>() : kind.names();
}

// A kind whose members fill 64 bits has no room for it: there it is a member like any other.
bool IsUntold(const MemberKind& kind, uint64_t member) {
  return member == kUntoldMember && kind.largest != UINT64_MAX;
}

constexpr uint64_t kMappedIpv4 = 0xffff;  // ::ffff:a.b.c.d

std::string AddressText(const Member& member) {
  std::array<unsigned char, 16> bytes{};
  for (size_t i = 0; i < 8; ++i) {
    bytes[7 - i] = static_cast<unsigned char>(member.first >> (8 * i));
    bytes[15 - i] = static_cast<unsigned char>(member.second >> (8 * i));
  }
  const bool is_ipv4 = member.first == 0 && member.second >> 32 == kMappedIpv4;
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_ipv4 ? AF_INET : AF_INET6, is_ipv4 ? &bytes[12] : bytes.data(), text.data(),
            static_cast<socklen_t>(text.size()));
  return text.data();
}

}  // namespace

std::optional<uint64_t> MemberByName(const MemberKind& kind, absl::string_view name) {
  const auto names = NamesOf(kind);
  const auto found = std::ranges::find(names, name, &NamedMember::name);
  if (found == names.end()) return std::nullopt;
  return found->member;
}

absl::string_view NameOfMember(const MemberKind& kind, uint64_t member) {
  const auto names = NamesOf(kind);
  const auto found = std::ranges::find(names, member, &NamedMember::member);
  return found == names.end() ? absl::string_view() : found->name;
}

std::string MemberText(const MemberKind& kind, uint64_t member) {
  std::string bare = BareMemberText(kind, member);
  return IsUntold(kind, member) ? bare : absl::StrCat(kind.noun, " ", bare);
}

std::string BareMemberText(const MemberKind& kind, uint64_t member) {
  if (IsUntold(kind, member)) return "more than are told apart";
  const absl::string_view name = NameOfMember(kind, member);
  std::string number = NumberText(kind, member);
  if (name.empty()) return number;
  switch (kind.format) {
    case NameFormat::kNumberFirst:
      return absl::StrCat(number, " (", name, ")");
    case NameFormat::kNameFirst:
      return absl::StrCat(name, " (", number, ")");
    case NameFormat::kNameOnly:
      return std::string(name);
  }
  return number;
}

std::string MemberText(const MemberKind& kind, const Member& member) {
  switch (kind.type) {
    case MemberType::kNumber:
      return MemberText(kind, member.first);
    case MemberType::kText:
      return absl::StrCat(kind.noun, " ", member.text);
    case MemberType::kAddress:
      return absl::StrCat(kind.noun, " ", AddressText(member));
    case MemberType::kPair:
      return absl::StrCat(kind.noun, " ", BareMemberText(*kind.first, member.first), "->",
                          BareMemberText(*kind.second, member.second));
  }
  return std::string(kind.noun);
}

std::string NumberText(const MemberKind& kind, uint64_t member) {
  return kind.number == NumberFormat::kHex ? absl::StrFormat("0x%x", member) : absl::StrCat(member);
}

}  // namespace kvmsentry
