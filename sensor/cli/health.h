// Whether all is well, and what is not: a status, judged. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

#include "kvmsentry/v1/sensor.pb.h"

namespace kvmsentry {

// Also the exit codes of `kvmsentry status` and `kvmsentry health`.
enum class Health { kOk = 0, kWarning = 1, kCritical = 2 };
inline constexpr int kNoAnswer = 3;  // not reached, or wrong usage, or not all could be written

struct Finding {
  Health health = Health::kOk;  // kOk: worth knowing, but as it should be
  std::string text;
};

// The worst first: open alerts, faults, VMs and losses, then what is not observed (causes.h). What
// a silence matches is worth knowing and no more.
std::vector<Finding> FindingsOf(const v1::GetStatusResponse& status, absl::Time now);

// That of the worst finding.
Health HealthOf(const std::vector<Finding>& findings);

}  // namespace kvmsentry
