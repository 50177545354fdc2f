// The client's end of a unix socket.
#pragma once

#include <string>

#include "sensor/base/fd.h"

namespace kvmsentry {

// A non-blocking socket that is connected to PATH; on failure an empty one, and errno says why.
// EAGAIN: it listens, but has no room in its queue. ECONNREFUSED: nobody listens any more.
Fd ConnectUnix(const std::string& path);

}  // namespace kvmsentry
