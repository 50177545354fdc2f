// Calls of gRPC services whose protos Debian does not install: health and reflection.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>

#include "sensor/base/status.h"

namespace kvmsentry {

// Sends one request, as bytes, and returns the first answer. METHOD: "/package.Service/Method".
absl::StatusOr<std::string> CallRaw(const std::shared_ptr<grpc::Channel>& channel,
                                    const std::string& method, const std::string& request);

}  // namespace kvmsentry
