// What probes tell the engine.
#pragma once

#include <cstdint>
#include <optional>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/feature.h"

namespace kvmsentry {

enum class ObservationKind : uint8_t {
  kCount,    // value: the feature's cumulative count of this VM, which never goes back
  kMember,   // value: a member of the feature's set was seen (again) since the last tick
  kCrossed,  // value: occurrences within window_ns, counted by the kernel, more than a limit
};

struct Observation {
  KernelTime time;
  VmId vm;
  ObservationKind kind = ObservationKind::kCount;
  FeatureId feature = {};
  // Orders observations that are alike in time, VM and kind; the source counts it up.
  uint64_t serial = 0;
  uint64_t value = 0;
  int64_t window_ns = 0;  // of kCrossed
  // What the latest occurrence named, a member of the feature's kind, where known.
  std::optional<uint64_t> detail;
  // Something was lost since the last observation: the value may be too low.
  bool lossy = false;
};

}  // namespace kvmsentry
