// What clients ask for. Requests are untrusted: each field is checked, and an error names it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kvmsentry/v1/alerts.pb.h"
#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/alert/filter.h"
#include "sensor/alert/position.h"
#include "sensor/base/status.h"

namespace kvmsentry {

inline constexpr int kMaxPatterns = 32;  // per field
inline constexpr size_t kMaxPatternBytes = 256;
inline constexpr int kMaxPoints = 32;

struct Subscription {
  std::optional<Position> since;
  bool follow = false;
  bool only_new = false;
  AlertFilter filter = {};
};

// INVALID_ARGUMENT "FIELD: what is wrong with it".
absl::StatusOr<Subscription> ReadRequest(const v1::SubscribeRequest& request);

// INVALID_ARGUMENT as above.
absl::StatusOr<AlertFilter> ReadFilter(const v1::AlertFilter& proto);

// The globs on VMs.
absl::StatusOr<std::vector<std::string>> ReadRequest(const v1::ListVmsRequest& request);
absl::StatusOr<std::vector<std::string>> ReadRequest(const v1::ListSpecsRequest& request);

}  // namespace kvmsentry
