// What the server's access is configured by.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

#include "sensor/base/endpoint.h"
#include "sensor/rpc/access/board.h"
#include "sensor/rpc/access/san.h"
#include "sensor/rpc/access/tls_files.h"
#include "sensor/rpc/access/unix_peer.h"

namespace kvmsentry {

// TCP is served with client certificates or not at all.
struct TcpOptions {
  Endpoint endpoint;
  TlsPaths files;
  SanRoles roles;
  absl::Duration reload_every = absl::Seconds(2);  // looks whether the files have changed
};

struct AccessOptions {
  UnixAdmins admins = {};              // beside root
  std::optional<TcpOptions> tcp = {};  // missing: the unix socket only
  uint32_t max_connections = 256;
  double max_requests = 100;      // a second, of each user or certificate; 0: no limit
  uint32_t max_open_calls = 192;  // of each user or certificate; 0: no limit
  // Within it a client has to say that it speaks HTTP/2, and TLS before that.
  absl::Duration handshake_within = absl::Seconds(10);
  absl::Duration idle_for = absl::Minutes(5);        // without a call; then a connection is ended
  absl::Duration ping_after = absl::Minutes(1);      // without a byte, whether the peer is there
  absl::Duration answer_within = absl::Seconds(20);  // the ping; else the connection is ended
  // Outlives the server; nullptr: the server has its own.
  AccessBoard* board = nullptr;
};

}  // namespace kvmsentry
