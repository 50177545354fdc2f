// Tells the Gate when calls end.
#pragma once

#include <memory>

#include <grpcpp/server_builder.h>

#include "sensor/rpc/access/gate.h"

namespace kvmsentry {

// For the server that BUILDER makes; it may have no other interceptors.
void CountOpenCalls(const std::shared_ptr<Gate>& gate, grpc::ServerBuilder& builder);

}  // namespace kvmsentry
