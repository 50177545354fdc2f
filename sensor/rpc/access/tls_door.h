// The door by which connections over TCP come: mutual TLS, and a role by the certificate.
#pragma once

#include <memory>

#include "sensor/rpc/access/door.h"
#include "sensor/rpc/access/san.h"
#include "sensor/rpc/access/tls_files.h"

namespace kvmsentry {

// At least TLS 1.2; a client without a certificate that FILES' authorities signed, and that is
// valid now, gets no connection. FILES outlives the server.
std::unique_ptr<Door> MakeTlsDoor(const TlsFiles& files, const SanRoles& roles,
                                  const std::shared_ptr<Gate>& gate, grpc::ServerBuilder& builder);

}  // namespace kvmsentry
