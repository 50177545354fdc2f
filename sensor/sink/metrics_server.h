// The endpoint that Prometheus scrapes: GET /metrics over HTTP. GET / only points there.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sensor/base/endpoint.h"
#include "sensor/base/status.h"

namespace kvmsentry {

// Two threads serve; a client that is slow, or sends much, is cut off. There is no access control:
// whoever reaches the port reads the names of VMs.
class MetricsServer {
 public:
  // Listens when it returns. PAGE is called from any thread.
  static absl::StatusOr<std::unique_ptr<MetricsServer>> Start(const Endpoint& endpoint,
                                                              std::function<std::string()> page);
  ~MetricsServer();

  int port() const;

 private:
  struct State;
  explicit MetricsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kvmsentry
