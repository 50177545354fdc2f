#include "tests/unit/rpc/serve_at.h"

#include <utility>

namespace kvmsentry {

absl::StatusOr<std::unique_ptr<Server>> ServeAt(const std::string& socket,
                                                const ServerOptions& options, const Hub& hub,
                                                const SensorView& view, const Pulse& pulse) {
  KVMSENTRY_ASSIGN_OR_RETURN(std::unique_ptr<SocketPlace> place, SocketPlace::Prepare(socket));
  return Server::Start(std::move(place), options, hub, view, pulse, SystemClock());
}

}  // namespace kvmsentry
