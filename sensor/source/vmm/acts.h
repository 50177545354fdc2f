// What records of the source vmm say. Pure; the bytes are untrusted.
#pragma once

#include <string>

#include "bpf/vmm/records.h"
#include "sensor/base/status.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

// The feature that ACT is a member of. ACT is below KS_ACTS.
FeatureId FeatureOfAct(ks_act act);

// INVALID_ARGUMENT for what no program of ours writes.
absl::StatusOr<Observation> DecodeAct(const ks_vmm_act& act);

}  // namespace kvmsentry
