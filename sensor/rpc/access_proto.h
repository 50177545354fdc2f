// What the server refused, as the status tells it.
#pragma once

#include "kvmsentry/v1/sensor.pb.h"
#include "sensor/rpc/access/board.h"

namespace kvmsentry {

v1::Access ToProto(const AccessState& state);

}  // namespace kvmsentry
