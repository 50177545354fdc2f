// A spec as the engine uses it: checked, with its texts ready. Made by sensor/spec/library.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

#include "sensor/feature/feature.h"
#include "sensor/feature/member.h"
#include "sensor/feature/method.h"
#include "sensor/feature/vm.h"

namespace kvmsentry {

// Normal: min <= value <= max; of a rate per second, of a level in its unit or, OF_GIVEN, in
// percent of what the VM was given. Clears at the near side of clear_min, clear_max.
struct RangeNorm {
  std::optional<double> min;
  std::optional<double> max;
  double clear_min = 0;  // >= min; unused without min
  double clear_max = 0;  // <= max; unused without max
  bool of_given = false;
  friend bool operator==(const RangeNorm&, const RangeNorm&) = default;
};

// Normal: at most COUNT occurrences within window_ns.
struct BurstNorm {
  uint64_t count = 0;
  int64_t window_ns = 0;
  friend bool operator==(const BurstNorm&, const BurstNorm&) = default;
};

struct Interval {
  uint64_t first = 0;
  uint64_t last = 0;  // inclusive
  friend bool operator==(const Interval&, const Interval&) = default;
};

// Addresses of 128 bits from FIRST to LAST.
struct AddressRange {
  Member first;
  Member last;
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

// Pairs of which either lies in its interval.
struct PairRange {
  Interval first;
  Interval second;
  friend bool operator==(const PairRange&, const PairRange&) = default;
};

// Normal: only those listed (allow), or all but those (deny). Of states, those that may be entered.
struct SetNorm {
  bool allow = false;
  std::vector<Interval> members;  // of 64 bits; sorted, not overlapping
  std::vector<AddressRange> addresses = {};
  std::vector<PairRange> pairs = {};
  std::vector<std::string> texts = {};  // globs
  bool IsNormal(uint64_t member) const;
  bool IsNormal(const Member& member) const;
  friend bool operator==(const SetNorm&, const SetNorm&) = default;
};

// Normal: at most MOST different members of a set within the spec's window.
struct VarietyNorm {
  uint32_t most = 0;
  friend bool operator==(const VarietyNorm&, const VarietyNorm&) = default;
};

using Norm = std::variant<RangeNorm, BurstNorm, SetNorm, VarietyNorm>;

// Selects what matches a pattern of every field that has any. PART is a part's name, empty for the
// VM itself, which no pattern for parts matches.
struct Selector {
  std::vector<std::string> vm, uuid, cgroup, vmm;
  std::vector<std::string> part = {};
  bool Matches(const VmFacts& facts, absl::string_view part_name = "") const;
  friend bool operator==(const Selector&, const Selector&) = default;
};

// How long a deviation must last before it opens, and be normal before it clears.
struct Patience {
  int64_t for_ns = 0;
  int64_t hold_ns = 0;
  friend bool operator==(const Patience&, const Patience&) = default;
};

struct Spec {
  std::string id;
  Point point = Point::kNone;
  FeatureId feature = {};
  Selector select;
  std::vector<Selector> except;  // what matches one of these is not selected
  int64_t window_ns = 0;
  Norm norm;
  bool per_vcpu = false;  // a range or burst: times the number of the VM's vCPUs
  Patience patience;
  int32_t weight = 0;  // points
  Severity severity = Severity::kNone;
  std::string why;
  std::string look_at;
  std::vector<std::string> tags = {};
  std::vector<std::string> mitre = {};  // technique ids
  // A deviation is reported as INFO, observed only, and counts for nothing.
  bool observe_only = false;
  std::string norm_text;      // "at most 20,000/s over 1s"
  std::string selector_text;  // "all VMs", "VMs named web-*"

  bool Selects(const VmFacts& facts, absl::string_view part_name = "") const;
  friend bool operator==(const Spec&, const Spec&) = default;
};

}  // namespace kvmsentry
