#include "sensor/feature/member_kind.h"

#include <algorithm>

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

std::string NumberText(const MemberKind& kind, uint64_t member) {
  return kind.number == NumberFormat::kHex ? absl::StrFormat("0x%x", member) : absl::StrCat(member);
}

}  // namespace kvmsentry
