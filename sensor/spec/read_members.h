// The members of a set norm.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "sensor/feature/member_kind.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// A number ("0x3f8", "1016"), a range ("0x3f8-0x3ff") or a name of the kind ("com1"), within the
// kind's bounds. The status's message is for the spec's author.
absl::StatusOr<Interval> ReadMembers(const MemberKind& kind, absl::string_view text);

// What TEXT says of a kind of any type, added to NORM.
absl::Status AddMembers(const MemberKind& kind, absl::string_view text, SetNorm& norm);

// Sorted, overlapping ones joined. Neighbours stay apart, so that texts can name them.
std::vector<Interval> JoinOverlaps(std::vector<Interval> intervals);

}  // namespace kvmsentry
