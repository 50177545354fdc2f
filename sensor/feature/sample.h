// What a source reads of all VMs at one look, for the engine.
//
// There are ten thousands of counts, members and levels a second, all alike in time and source: no
// observation is made of each.
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

// VM was seen (again) with MEMBER of the set FEATURE.
struct Sighting {
  VmId vm = {};
  FeatureId feature = {};
  uint64_t member = 0;
};

// A level of VM as it is now, or the state that it is in until a later one names another; of a part
// of it, where PART is one.
struct Gauge {
  VmId vm = {};
  PartId part = {};
  FeatureId feature = {};
  uint64_t value = 0;  // in the feature's unit times its scale; or the state, a member of its kind
  uint64_t given = 0;  // of a level: what the VM was given of it, as value; 0: unknown
};

struct Sample {
  SourceId source = {};
  KernelTime time = {};
  // Something was lost since the sample before: counts may be too low.
  bool lossy = false;
  std::span<const Count> counts = {};
  std::span<const Sighting> sightings = {};
  std::span<const Gauge> gauges = {};
  // Rates of the source whose counts are as they were for every VM and part that has one, but those
  // among COUNTS. Others that are left out are missing.
  std::span<const FeatureId> unchanged = {};
};

}  // namespace kvmsentry
