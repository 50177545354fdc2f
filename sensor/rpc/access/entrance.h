// Where clients come in: the sockets that listen, and the thread that accepts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <grpcpp/server_builder.h>

#include "sensor/base/clock.h"
#include "sensor/base/fd.h"
#include "sensor/base/status.h"
#include "sensor/rpc/access/connection_table.h"
#include "sensor/rpc/access/options.h"
#include "sensor/rpc/access/unix_doors.h"

namespace kvmsentry {

// Whoever connects by the unix socket is known by the kernel, whoever comes by TCP by the TLS
// handshake that follows. A connection over a limit is closed before gRPC sees it; what gRPC then
// cuts off by itself, BUILDER is told.
class Entrance {
 public:
  // Listens at UNIX_PATH, and at the TCP endpoint if there is one; who connects waits until Start.
  // BUILDER makes the server that the connections come to. BOARD and CLOCK outlive it.
  static absl::StatusOr<std::unique_ptr<Entrance>> Open(const std::string& unix_path,
                                                        const AccessOptions& options,
                                                        AccessBoard& board, const Clock& clock,
                                                        grpc::ServerBuilder& builder);
  ~Entrance();

  // The server runs.
  void Start();
  // No connection comes to the server any more. May be called again.
  void Stop();

  int tcp_port() const;  // 0 without TCP

 private:
  Entrance(const AccessOptions& options, AccessBoard& board, const Clock& clock);

  void Run(const std::stop_token& stop);
  void AcceptAll(const Fd& listener, Wire wire);
  void ComeByUnix(Fd connection);
  void ComeByTcp(Fd connection);
  // Whether CONNECTOR may have no further connection; then it was counted. Its client hears
  // nothing: gRPC's shows no reason that a connection was ended for.
  bool Refused(const Connector& connector);

  const AccessOptions options_;
  AccessBoard& board_;
  const Clock& clock_;
  ConnectionTable table_;
  std::shared_ptr<Gate> gate_;
  std::unique_ptr<TlsFiles> tls_files_;
  std::unique_ptr<UnixDoors> unix_doors_;
  std::unique_ptr<Door> tls_door_;
  Fd unix_listener_;
  Fd tcp_listener_;
  Fd stop_;  // an eventfd
  std::jthread thread_;
};

}  // namespace kvmsentry
