// A spec as the engine uses it: checked, with its texts ready. Made by sensor/spec/library.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sensor/feature/feature.h"
#include "sensor/feature/method.h"
#include "sensor/feature/vm.h"

namespace kvmsentry {

// Normal: min <= value <= max, per second. Clears at the near side of clear_min, clear_max.
struct RangeNorm {
  std::optional<double> min;
  std::optional<double> max;
  double clear_min = 0;  // >= min; unused without min
  double clear_max = 0;  // <= max; unused without max
};

// Normal: at most COUNT occurrences within window_ns.
struct BurstNorm {
  uint64_t count = 0;
  int64_t window_ns = 0;
};

struct Interval {
  uint64_t first = 0;
  uint64_t last = 0;  // inclusive
};

// Normal: only MEMBERS (allow), or all but MEMBERS (deny). Sorted, not overlapping.
struct SetNorm {
  bool allow = false;
  std::vector<Interval> members;
  bool IsNormal(uint64_t member) const;
};

using Norm = std::variant<RangeNorm, BurstNorm, SetNorm>;

// A VM is selected if it matches a pattern of every field that has any.
struct Selector {
  std::vector<std::string> vm, uuid, cgroup, vmm;
  bool Matches(const VmFacts& facts) const;
};

struct Spec {
  std::string id;
  Point point = Point::kNone;
  FeatureId feature = {};
  Selector select;
  int64_t window_ns = 0;
  Norm norm;
  int32_t weight = 0;  // points
  Severity severity = Severity::kNone;
  std::string why;
  std::string look_at;
  std::string norm_text;      // "at most 20,000/s over 1s"
  std::string selector_text;  // "all VMs", "VMs named web-*"
};

}  // namespace kvmsentry
