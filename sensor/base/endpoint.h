// An address and a port, as users write them.
#pragma once

#include <string>

#include "sensor/base/status.h"

namespace kvmsentry {

struct Endpoint {
  std::string host;  // without brackets
  int port = 0;      // 0: any that is free
};

// "127.0.0.1:9876", "[::1]:9876". INVALID_ARGUMENT for anything else.
absl::StatusOr<Endpoint> ParseEndpoint(const std::string& text);

// For options that may be left empty: why TEXT is none; empty where it is one, or empty itself.
std::string ProblemWithEndpoint(const std::string& text);

}  // namespace kvmsentry
