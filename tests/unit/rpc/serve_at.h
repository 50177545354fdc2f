// A server at a unix socket, for tests.
#pragma once

#include <memory>
#include <string>

#include "sensor/rpc/server.h"

namespace kvmsentry {

// All but SOCKET and OPTIONS outlive the server.
absl::StatusOr<std::unique_ptr<Server>> ServeAt(const std::string& socket,
                                                const ServerOptions& options, const Hub& hub,
                                                const SensorView& view, const Pulse& pulse);

}  // namespace kvmsentry
