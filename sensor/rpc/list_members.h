// Which members of sets a VM was seen with, page by page.
#pragma once

#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/base/status.h"
#include "sensor/rpc/sensor_view.h"

namespace kvmsentry {

// NOT_FOUND for an unknown VM, INVALID_ARGUMENT for what is no set; both name the nearest. May be
// called from several threads at once.
absl::Status ListMembers(const SensorView& view, const v1::ListMembersRequest& request,
                         v1::ListMembersResponse& response);

}  // namespace kvmsentry
