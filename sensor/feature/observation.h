// What sources tell the engine, one by one; of all VMs at once they do so by a Sample.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/feature.h"
#include "sensor/feature/member.h"
#include "sensor/feature/part.h"

namespace kvmsentry {

enum class ObservationKind : uint8_t {
  kCount,    // value: the feature's cumulative count, as in Count
  kMember,   // value or member: it was seen (again) since the last tick
  kCrossed,  // value: occurrences within window_ns, counted by the kernel, more than a limit
  kState,    // value: the state entered, a member of the feature's kind; it lasts until another
};

struct Observation {
  KernelTime time = {};
  VmId vm = {};
  PartId part = {};  // the VM itself, or a part of it
  ObservationKind kind = ObservationKind::kCount;
  FeatureId feature = {};
  // Orders observations that are alike in time, VM and kind; the source counts it up.
  uint64_t serial = 0;
  uint64_t value = 0;
  int64_t window_ns = 0;  // of kCrossed
  // What the latest occurrence named, a member of the feature's kind, where known.
  std::optional<uint64_t> detail = {};
  // Of kMember where the kind's members do not fit into value, or more is known of one.
  std::shared_ptr<const Member> member = {};
  // Something was lost since the last observation: the value may be too low.
  bool lossy = false;
};

}  // namespace kvmsentry
