// The loader's side of the socket.
#pragma once

#include <span>

#include "sensor/base/status.h"
#include "sensor/probe/loader.h"

namespace kvmsentry {

// Answers requests from SOCKET by LOADER until the other side has gone. HOOKS are all hooks, as
// that side knows them. Fails where it cannot answer, or what came is no request.
absl::Status ServeLoader(int socket, std::span<const Hook* const> hooks, Loader& loader);

}  // namespace kvmsentry
