// The kinds of norms, each checked on its own.
#pragma once

#include <cstdint>

#include "kvmsentry/v1/spec.pb.h"
#include "sensor/feature/feature.h"
#include "sensor/spec/places.h"
#include "sensor/spec/report.h"
#include "sensor/spec/spec.h"

namespace kvmsentry {

// So that a count over the longest window is exact in a double.
inline constexpr uint64_t kMaxAmount = 1'000'000'000'000;

// So many, and one more, are kept of a VM for each spec.
inline constexpr uint32_t kMaxVariety = 4096;

struct NormAt {
  const v1::Norm& norm;
  const Places& places;
  const Feature* feature;  // nullptr where it isn't known
  int64_t window_ns;
  const Report& report;
};

Norm CheckRange(const NormAt& at);
Norm CheckBurst(const NormAt& at);
// KIND: "allow" or "deny", the field that MEMBERS stand in.
Norm CheckSet(const NormAt& at, absl::string_view kind, const v1::Members& members);

Norm CheckVariety(const NormAt& at);

// Whether a field of Members was reported and left out.
bool MembersLeftOut(const Places& places);

}  // namespace kvmsentry
