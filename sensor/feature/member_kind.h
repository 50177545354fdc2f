// What the members of a set are, as data: a row for each kind, beside the features of its domain.
// Specs, lint, norms in words and alerts all read the same row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

#include "sensor/feature/member.h"

namespace kvmsentry {

struct NamedMember {
  uint64_t member;
  absl::string_view name;
};

enum class NumberFormat : uint8_t { kHex, kDecimal };

// How a member that has a name is written, after the kind's noun.
enum class NameFormat : uint8_t {
  kNumberFirst,  // "port 0x3f5 (fdc-fifo)"
  kNameFirst,    // "MSR LSTAR (0xc0000082)"
  kNameOnly,     // "VM exit svm:hlt"
};

enum class MemberType : uint8_t {
  kNumber,   // of 64 bits
  kText,     // norms are globs
  kAddress,  // of 128 bits: IPv6, or IPv4 mapped to it; norms are addresses and prefixes
  kPair,     // two numbers, each of its own kind; norms are "FIRST->SECOND", "*" for any
};

struct MemberKind {
  // The field of the spec language's Members, and of evidence after "last_": "exit_reason".
  absl::string_view key;
  absl::string_view noun;  // singular: "exit reason"
  uint64_t largest = 0;    // the largest value that a member can have
  NumberFormat number = NumberFormat::kHex;
  NameFormat format = NameFormat::kNameOnly;
  std::span<const NamedMember> (*names)() = nullptr;  // nullptr: none has a name
  absl::string_view hint = "1 or 1-2";                // what an author may write
  uint64_t granule = 1;  // members are the multiples of this; a range ends just below one
  MemberType type = MemberType::kNumber;
  const MemberKind* first = nullptr;   // of a pair
  const MemberKind* second = nullptr;  // of a pair
  bool is_mass = false;                // the noun has no plural: "executable memory"
};

// Stands for members of a set that found no room in the kernel's tables and are not told apart: a
// member of every kind, outside every norm.
inline constexpr uint64_t kUntoldMember = UINT64_MAX;

// The number behind a name ("LSTAR", "MMIO"), by exact match.
std::optional<uint64_t> MemberByName(const MemberKind& kind, absl::string_view name);

// The name of a member, empty where it has none.
absl::string_view NameOfMember(const MemberKind& kind, uint64_t member);

// A member in words: "port 0x3f8 (com1)", "MSR LSTAR (0xc0000082)".
std::string MemberText(const MemberKind& kind, uint64_t member);

// The same of a member of any type.
std::string MemberText(const MemberKind& kind, const Member& member);

// The same without the noun: "0x3f8 (com1)".
std::string BareMemberText(const MemberKind& kind, uint64_t member);

// A member as a bare number, in the base that is usual for the kind: "0x3f8", "17".
std::string NumberText(const MemberKind& kind, uint64_t member);

}  // namespace kvmsentry
