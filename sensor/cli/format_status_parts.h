// The parts of a status that are shown on demand.
#pragma once

#include <string>

#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/cli/style.h"

namespace kvmsentry {

// Each hook, by what it is attached and what it costs. A reason that hooks share is said once.
std::string HooksTable(const v1::GetStatusResponse& status, const Style& style);
std::string SpecsTable(const v1::GetStatusResponse& status, const Style& style);
std::string LossesTable(const v1::GetStatusResponse& status, const Style& style);
// Also where the journal is.
std::string LimitsText(const v1::GetStatusResponse& status, const Style& style);
// Nothing where a sensor of an earlier version does not say.
std::string ClientsText(const v1::Access& access, const Style& style);

}  // namespace kvmsentry
