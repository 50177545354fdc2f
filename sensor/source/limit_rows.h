// The limits of a source's meters, in its rows of the kernel's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bpf/records.h"
#include "sensor/base/ids.h"
#include "sensor/feature/limit.h"
#include "sensor/feature/observation.h"

namespace kvmsentry {

// Sets those of LIMITS that are of SOURCE in ROWS, one for each of its meters; those not named are
// lifted. At most kLimitsPerMeter a meter are taken. The meters are then to look at once.
void SetLimits(SourceId source, std::span<const Limit> limits, std::span<ks_meter_limits> rows);

void LookAtOnce(std::span<ks_meter_row> meters);

// Takes the limits of the VM that were passed and found no room in the ring, as the records that
// they would have been; of each the latest.
void TakeUntold(SourceId source, VmId vm, std::span<ks_meter_limits> rows,
                std::vector<ks_limit_crossed>* out);

}  // namespace kvmsentry
