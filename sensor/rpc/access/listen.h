// Sockets that listen.
#pragma once

#include <string>

#include "sensor/base/endpoint.h"
#include "sensor/base/fd.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Both do not block when a connection is accepted.
absl::StatusOr<Fd> ListenUnix(const std::string& path);
// The host must be an address, not a name.
absl::StatusOr<Fd> ListenTcp(const Endpoint& endpoint);

// The port at which SOCKET listens; 0 where it has none.
int PortOf(int socket);
// From where SOCKET was connected, for ConnectionTable: an IPv4 address, or the /64 of an IPv6 one,
// for whoever has one of its addresses has them all.
std::string AddressOfPeer(int socket);

}  // namespace kvmsentry
