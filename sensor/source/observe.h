// From counts and members to observations. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/records.h"
#include "sensor/base/ids.h"
#include "sensor/base/time.h"
#include "sensor/feature/observation.h"
#include "sensor/probe/hooks.h"
#include "sensor/source/source.h"

namespace kvmsentry {

// Appends an observation for each rate of SOURCE in ACTIVE; missing is not zero. COUNT has its
// cumulative count by meter, LAST what the latest occurrence named (empty: nothing).
void ObserveCounts(SourceId source, VmId vm, KernelTime now, std::span<const FeatureId> active,
                   std::span<const uint64_t> count, std::span<const uint64_t> last, bool lossy,
                   std::vector<Observation>* out);

// Appends that MEMBER of the set FEATURE was seen.
void ObserveMember(VmId vm, KernelTime now, FeatureId feature, uint64_t member,
                   std::vector<Observation>* out);

// What was told by the ring, or should have been.
void ObserveUntold(std::span<const ks_limit_crossed> untold, std::vector<Observation>* out);

// Puts the counts of SOURCE's rates into DETAILS.
void ShowCounts(SourceId source, std::span<const uint64_t> count, VmDetails* details);

// The coverage of hooks as providers; those of other sources are left out.
std::vector<Provider> ProvidersOf(std::span<const HookCoverage> coverage,
                                  std::span<const Hook> hooks);

}  // namespace kvmsentry
