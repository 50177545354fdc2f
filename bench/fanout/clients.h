// Subscribers, all in one process.
#pragma once

#include <cstdint>
#include <string>

namespace kvmsentry {

struct ClientsReport {
  uint64_t alerts = 0;   // received, of all
  uint64_t missing = 0;  // that one or another should have had
  uint64_t doubles = 0;
  uint64_t gaps = 0;
  double last_seconds = 0;  // until the last had all
};

// SUBSCRIBERS streams, each of which reads until it has the alert LAST; STALLED more read one
// message and no other. Writes to READY_FD once all are connected. SOCKET is served.
ClientsReport RunClients(const std::string& socket, int subscribers, int stalled, uint64_t last,
                         int ready_fd);

}  // namespace kvmsentry
