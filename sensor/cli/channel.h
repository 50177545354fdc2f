// The ways to kvmsentryd.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/channel.h>

#include "sensor/base/status.h"
#include "sensor/cli/client.h"

namespace kvmsentry {

// Connected when it returns. PERMISSION_DENIED says whom the socket admits.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenUnixChannel(const std::string& socket);

// By mutual TLS. Connects with the first call.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenTlsChannel(const Target& target);

}  // namespace kvmsentry
