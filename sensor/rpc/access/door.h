// The way by which a connection that we accepted comes into gRPC, with what we know of it.
//
// gRPC accepts by itself otherwise, and then tells nobody who connected. Here each door has
// credentials of its own, which a connection keeps for life, and those put each call to the Gate
// with the caller that the door stands for. So a role can no more be mixed up than two doors can.
#pragma once

#include <functional>
#include <memory>

#include <grpc/grpc_security.h>
#include <grpcpp/server_builder.h>

#include "sensor/base/fd.h"
#include "sensor/rpc/access/caller.h"
#include "sensor/rpc/access/gate.h"

namespace kvmsentry {

// Who comes by a connection with these properties. Called once a connection, from any thread.
using CallerSource = std::function<Caller(const grpc_auth_context*)>;

class Door {
 public:
  // Part of the server that BUILDER makes. Takes CREDENTIALS over, of which no other door may be
  // made.
  Door(grpc_server_credentials* credentials, std::shared_ptr<Gate> gate, CallerSource source,
       grpc::ServerBuilder& builder);

  // A connection begins. The server must run; it owns CONNECTION from here on.
  void HandOver(Fd connection);

 private:
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
};

}  // namespace kvmsentry
