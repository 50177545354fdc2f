// Who makes a call. It is found once a connection, from what the kernel or the TLS handshake
// verified, and kept among the connection's properties, where handlers find it.
#pragma once

#include <string>

#include <grpc/grpc_security.h>
#include <grpcpp/server_context.h>

#include "sensor/rpc/access/role.h"

namespace kvmsentry {

struct Caller {
  Role role = Role::kNone;
  std::string name;  // "uid 1000", "certificate spiffe://example.org/ops"; escaped

  friend bool operator==(const Caller&, const Caller&) = default;
};

// Of the call that CONTEXT belongs to, for handlers.
Caller CallerOf(const grpc::ServerContextBase& context);

// What Remember put into CONTEXT; false where nothing did yet.
bool Recall(const grpc_auth_context* context, Caller& caller);
// No other thread may use CONTEXT meanwhile.
void Remember(grpc_auth_context* context, const Caller& caller);

}  // namespace kvmsentry
