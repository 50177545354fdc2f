// Names and bounds of the members of each field: I/O ports, MSRs, user-space exit reasons, VM exits
// ("svm:hlt", "vmx:EPT_VIOLATION": the names of the kernel's traces, linux/asm/svm.h and vmx.h).
#pragma once

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

#include "sensor/feature/catalogue.h"

namespace kvmsentry {

// Stands for members of a set that found no room in the kernel's tables, and are not told apart: a
// member of every field, and outside every norm.
inline constexpr uint64_t kUntoldMember = UINT64_MAX;

// The largest value a member of FIELD can have.
uint64_t LargestMember(Field field);

// The number behind a name of the field ("LSTAR", "MMIO"), by exact match.
std::optional<uint64_t> MemberByName(Field field, absl::string_view name);

// The name of a member, empty where it has none.
absl::string_view NameOfMember(Field field, uint64_t member);

}  // namespace kvmsentry
