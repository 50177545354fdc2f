// What sources count of VMs, and tell the engine as one look at all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/feature.h"
#include "sensor/feature/part.h"

namespace kvmsentry {

struct Count {
  VmId vm = {};
  PartId part = {};  // the VM itself, or a part of it
  FeatureId feature = {};
  uint64_t value = 0;  // cumulative: it never goes back
  // What the latest occurrence named, a member of the feature's kind, where known.
  std::optional<uint64_t> detail = {};
};

// There are ten thousands of them a second, all alike in time and source: no observation is made of
// each.
struct CountSample {
  SourceId source = {};
  KernelTime time = {};
  // Something was lost since the sample before: counts may be too low.
  bool lossy = false;
  std::span<const Count> counts;
  // Rates of the source whose counts are as they were for every VM and part that has one, but those
  // among COUNTS. Others that are left out are missing.
  std::span<const FeatureId> unchanged;
};

}  // namespace kvmsentry
